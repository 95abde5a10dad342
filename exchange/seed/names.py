"""The demo market's companies and first names: invented."""

from typing import NamedTuple


class Place(NamedTuple):
    """Where companies of one country stand: zone, language of their people, forms of company, regions."""

    zone: str
    language: str
    forms: tuple[str, ...]
    regions: tuple[str, ...]
    names: str
    vat: str
    """A VAT number's pattern: ``#`` is a digit, ``?`` a letter. Drawn until python-stdnum finds one valid."""
    registration: str
    """A register number's pattern where it is not the VAT number or drawn by ``companies``."""


PLACES: dict[str, Place] = {
    "FR": Place("Europe/Paris", "fr", ("SAS", "SARL", "SA"),
        ("Bretagne", "Occitanie", "Hauts-de-France", "Auvergne-Rhône-Alpes", "Île-de-France", "Nouvelle-Aquitaine",
         "Normandie", "Provence-Alpes-Côte d’Azur", "Grand Est", "Pays de la Loire"),
        """Maison Vauclair, Vauclair Outlet, Comptoir de Ruvelle, Établissements Delormeau, La Halle Brévin,
        Galeries Montcendre, Aux Quatre Quais, Bazar Lavernoy, Espace Thélin, Le Grand Chenil, Ferronnet & Fils,
        Quincaillerie Audrieux, Ateliers Saulnoy, Sport Cantaroux, Mercerie Vaubreuil, Jardins de Lorvanne,
        Électro Pontrieux Sud, Librairie Astérande, Pharm’Alisse, Cycles Bertaudin, Maison Clairgris,
        Dépôt Malvernay, Hyper Sautrelle, Les Entrepôts Guérillon, Chaussures Bellamare, Optique Ravenoy,
        Textiles Aubrissol, Cuisines Hautebrise, Caves Pérignoux, Épicerie Landrevaux, Droguerie Fontagny,
        Jouets Papillois, Bébé Marjolin, Beauté Sylvanère, Moto Cressange, Pneus Dargilan, Bricorive,
        Matériaux Chassenay, Plomberie Estrevin, Luminaires Oréval, Mobilier Grandclos, Literie Songevin,
        Vêtements Tourmaline Ouest, Bijouterie Cendrelle, Animalerie Poilvert, Papeterie Gaudremont,
        Informatique Solvance, Mobile Arcanne, Son et Image Théréval, Maison Connectée Virelay, Nautique Armorel,
        Randonnée Pierrelongue, Surgelés Nordanche, Boissons Cazalières, Santé Mirevaux, Parfumerie Ysandre,
        Outillage Forgeval, Serres de Bonnefaille, Négoce Ardusson, Distribution Caléron, Grossiste Tharaval,
        Magasins Orceval, Coopérative du Marensac, Comptoir Briançois, Halles de Sainte-Orse, Groupe Lestrade Nord,
        Promo Valdoise, Déstock Gironval, Centrale Hérivaux, Réserve Chantemesle, Tout pour la Maison Lucenay,
        Discount Arverne""", "", ""),
    "BE": Place("Europe/Brussels", "fr", ("SRL", "BV", "SA"),
        ("Wallonie", "Vlaanderen", "Bruxelles"),
        """Maison Hautepenne, Winkelhuis Verstraten, Bazar du Condroz, Meubelhal Roosdael, Électro Mosane,
        Kledinghuis Vandermeire, Jardiland Brabançon, Speelgoed Kattekwaad, Droguerie Sambreville Est,
        Fietsen Zwaluw, Caves Ardennaises Noiret, Bouwmarkt Dendermeer, Optiek Lindenhof, Textiles Hesbignon""",
        "BE0#########", ""),
    "DE": Place("Europe/Berlin", "en", ("GmbH", "GmbH & Co. KG"),
        ("Nordrhein-Westfalen", "Bayern", "Hessen", "Niedersachsen", "Sachsen"),
        """Kaufhaus Brennecke, Möbelhof Lindau-Ost, Werkzeug Hartmannsroth, Sporthaus Edelweg, Spielzeug Murmelthal,
        Elektro Vossberg, Gartenwelt Rosenhain, Schuhhaus Kranzler Süd, Textil Obermayrin, Fahrrad Zickzack,
        Drogerie Sonnenfels, Baumarkt Eichelkamp, Technikhandel Juliushof, Heimtier Pfotenau,
        Getränke Wiesenquell, Kinderland Trollheim""", "DE#########", "Köln HRB #####"),
    "IT": Place("Europe/Rome", "en", ("S.r.l.", "S.p.A."),
        ("Lombardia", "Veneto", "Piemonte", "Emilia-Romagna", "Lazio"),
        """Magazzini Valcastello, Casa Bellaria Nord, Calzature Ferrantino, Elettro Montesole, Giardini del Tevero,
        Emporio Castagneri, Moda Rivabella, Utensileria Bronzetti, Giocattoli Arlecchiere, Profumeria Alba Chiara,
        Cicli Passo Fermo, Alimentari Dogliano Alto""", "IT###########", ""),
    "ES": Place("Europe/Madrid", "en", ("S.L.", "S.A."),
        ("Cataluña", "Comunidad de Madrid", "Comunitat Valenciana", "Andalucía", "País Vasco"),
        """Almacenes Ribalta Sur, Muebles Peñaclara, Calzados Aldenor, Ferretería Montealto, Jardines Almazara,
        Deportes Cierzo, Juguetes Carambola, Bazar Levantino Ros, Electro Sierranova, Perfumería Azahara Luz,
        Bodegas Torrelaguna Vieja""", "ESB########", ""),
    "NL": Place("Europe/Amsterdam", "en", ("B.V.",),
        ("Noord-Holland", "Zuid-Holland", "Noord-Brabant", "Gelderland"),
        """Warenhuis Vlietstra, Wonen aan de Vecht, Fietsenhal Kogelman, Tuincentrum Meerdijk, Speelhuis Tolhoek,
        Elektrohuis Noorderlicht, Schoenen Hakkestein, Gereedschap De Beitel, Dierenwinkel Snuffel""",
        "NL#########B0#", "########"),
    "IE": Place("Europe/Dublin", "en", ("Ltd",), ("Leinster", "Munster", "Connacht"),
        """Harrow & Finch, Kilmoyle Stores, Ballyrossan Trading, Dunfallow Home""", "IE#######?", "######"),
    "GB": Place("Europe/London", "en", ("Ltd",), ("England", "Scotland", "Wales"),
        """Thornbeck & Sons, Wexcombe Department Stores, Haldon Outdoor, Pennyroyal Toys, Marlowe Street Homeware""",
        "GB#########", "########"),
    "PT": Place("Europe/Lisbon", "en", ("Lda",), ("Norte", "Lisboa", "Algarve"),
        """Armazéns Vale Sereno, Casa das Oliveiras Altas, Sapataria Mondeguinho, Ferragens Atlântida Sul""",
        "PT#########", ""),
    "LU": Place("Europe/Luxembourg", "fr", ("S.à r.l.",), ("Luxembourg",), "Comptoir de l’Alzingue", "LU########",
        "B######"),
    "AT": Place("Europe/Vienna", "en", ("GmbH",), ("Wien", "Steiermark"),
        """Kaufhaus Donaublick, Sporthandel Almrausch""", "ATU########", "FN ######a"),
}  # fmt: skip

FIRST_NAMES = {
    "fr": "Alix, Basile, Capucine, Damien, Élodie, Fabrice, Gaëlle, Hugo, Inès, Jules, Karine, Louis, Maud, Nathan, "
    "Océane, Paul, Quentin, Romane, Sacha, Théo, Ulysse, Violette, Yann, Zoé",
    "en": "Anna, Ben, Clara, Daniel, Eva, Finn, Greta, Hannah, Ivo, Jonas, Kira, Leo, Marta, Nico, Olga, Pietro, Rosa, "
    "Stefan, Tessa, Ugo, Vera, Wim, Ximena, Zeno",
}
"""By the language of the country's people: French, or English for everybody else."""
LAST_NAMES = {
    "fr": "Aubertin, Bresson, Caradec, Delmas, Estève, Fauvel, Garrigue, Hamelin, Joubert, Kervella, Lacaze, Morvan, "
    "Naudin, Ollivier, Pascaud, Quéré, Rousset, Sauvage, Tessier, Vernet",
    "en": "Albers, Bianchi, Costa, Dekker, Ebner, Ferrer, Gruber, Hauser, Iversen, Jansen, Keller, Lombardi, Moreno, "
    "Neri, Ortega, Peeters, Romano, Schuster, Torres, Vogel",
}
