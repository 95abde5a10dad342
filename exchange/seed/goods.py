"""What the demo market sells: our own writing. Brands are invented; prices are what a shop would ask.

A shelf is a category of ``listings.rules.categories``: its brands, how its goods vary, what sellers recover of the
retail price on average (percent, for new goods), and its articles,
one a line: French | English | retail price in euros | kilograms.
"""

from typing import NamedTuple


class Shelf(NamedTuple):
    """One category's goods, as written."""

    category: str
    brands: tuple[str, ...]
    variants: str
    recovery: int
    shape: str
    """The silhouette its photographs show (``pictures``)."""
    articles: str


VARIANTS: dict[str, tuple[tuple[str, str], ...]] = {
    "colour": (
        ("gris perle", "pearl grey"), ("anthracite", "charcoal"), ("vert sauge", "sage green"), ("blanc", "white"),
        ("bleu nuit", "midnight blue"), ("terracotta", "terracotta"), ("écru", "ecru"), ("noir", "black"),
    ),
    "size": (("taille XS", "size XS"), ("taille S", "size S"), ("taille M", "size M"), ("taille L", "size L"),
             ("taille XL", "size XL"), ("taille XXL", "size XXL")),
    "shoe": tuple((f"pointure {n}", f"EU size {n}") for n in range(36, 46)),
    "bed": (("90 × 190 cm", "90 × 190 cm"), ("140 × 200 cm", "140 × 200 cm"), ("160 × 200 cm", "160 × 200 cm"),
            ("240 × 220 cm", "240 × 220 cm")),
    "age": (("6 mois", "6 months"), ("12 mois", "12 months"), ("2 ans", "2 years"), ("4 ans", "4 years"),
            ("6 ans", "6 years")),
    "pack": (("carton de 6", "case of 6"), ("carton de 12", "case of 12"), ("carton de 24", "case of 24")),
    "scent": (("fleur d’oranger", "orange blossom"), ("lavande", "lavender"), ("sans parfum", "unscented"),
              ("bois de cèdre", "cedarwood")),
    "capacity": (("64 Go", "64 GB"), ("128 Go", "128 GB"), ("256 Go", "256 GB"), ("512 Go", "512 GB")),
    "plain": (("modèle 1", "model 1"), ("modèle 2", "model 2"), ("édition 2025", "2025 edition"),
              ("série Atelier", "Workshop series")),
    "title": (("édition française", "French edition"), ("édition bilingue", "bilingual edition"),
              ("coffret", "boxed set")),
}  # fmt: skip

SHELVES: tuple[Shelf, ...] = (
    Shelf("furniture", ("Norhem", "Valdoré", "Hestelwood", "Ligne Quai"), "colour", 36, "chair", """
        Fauteuil scandinave | Scandinavian armchair | 249 | 14
        Canapé deux places | Two-seat sofa | 699 | 46
        Table basse en chêne | Oak coffee table | 189 | 17
        Chaise de salle à manger | Dining chair | 89 | 6
        Bibliothèque cinq étagères | Five-shelf bookcase | 229 | 32
        Bureau d’angle | Corner desk | 279 | 38
        Tabouret de bar | Bar stool | 119 | 7
        Meuble télé | TV stand | 259 | 34
        Commode trois tiroirs | Three-drawer chest | 219 | 36
        Lit coffre | Storage bed | 549 | 62"""),
    Shelf("home-textiles", ("Tissandel", "Lin & Rive", "Ombrelune", "Wolkenweich"), "bed", 33, "textile", """
        Parure de lit en percale | Percale duvet set | 79 | 1.8
        Couette quatre saisons | Four-season duvet | 119 | 3.2
        Oreiller à mémoire de forme | Memory foam pillow | 45 | 1.1
        Drap housse en coton bio | Organic cotton fitted sheet | 34 | 0.8
        Plaid en laine | Wool throw | 69 | 1.2
        Tapis tissé main | Hand-woven rug | 149 | 6
        Lot de serviettes de bain | Bath towel set | 49 | 1.6
        Rideaux occultants | Blackout curtains | 59 | 2.1
        Protège-matelas | Mattress protector | 39 | 0.9"""),
    Shelf("tableware", ("Cuivria", "Faïence du Lot", "Ardoise & Co", "Tafelhuis"), "colour", 30, "pot", """
        Batterie de cuisine cinq pièces | Five-piece cookware set | 149 | 6.4
        Poêle en inox 28 cm | 28 cm stainless frying pan | 59 | 1.3
        Service d’assiettes douze pièces | Twelve-piece dinner set | 89 | 7.5
        Ménagère vingt-quatre couverts | 24-piece cutlery set | 79 | 2.1
        Cocotte en fonte | Cast-iron casserole | 129 | 5.2
        Lot de six verres à pied | Set of six wine glasses | 39 | 1.4
        Couteau de chef | Chef’s knife | 65 | 0.3
        Moule à manqué | Cake tin | 19 | 0.5
        Planche à découper en bambou | Bamboo chopping board | 25 | 1.2
        Mug en grès | Stoneware mug | 12 | 0.4"""),
    Shelf("lighting-decor", ("Lumiska", "Phare Ouest", "Glimtal", "Clarté Nord"), "colour", 34, "lamp", """
        Lampe de bureau LED | LED desk lamp | 49 | 1.1
        Suspension en rotin | Rattan pendant light | 79 | 1.6
        Lampadaire trépied | Tripod floor lamp | 129 | 5.4
        Miroir rond | Round mirror | 69 | 4.2
        Bougie parfumée | Scented candle | 24 | 0.5
        Vase en céramique | Ceramic vase | 35 | 1.3
        Guirlande d’extérieur | Outdoor string lights | 29 | 0.7
        Cadre photo | Photo frame | 18 | 0.6
        Applique murale | Wall light | 59 | 1.0"""),
    Shelf("home-appliances", ("Électrel", "Hausgut", "Vaporine", "Moulinord"), "colour", 38, "kettle", """
        Bouilloire à température réglable | Variable-temperature kettle | 69 | 1.4
        Aspirateur balai sans fil | Cordless stick vacuum | 279 | 3.4
        Robot pâtissier | Stand mixer | 329 | 8.2
        Machine à café à grains | Bean-to-cup coffee machine | 499 | 9.6
        Grille-pain deux fentes | Two-slot toaster | 45 | 1.5
        Centrale vapeur | Steam generator iron | 189 | 4.1
        Four à micro-ondes | Microwave oven | 129 | 12
        Purificateur d’air | Air purifier | 219 | 5.5
        Friteuse sans huile | Air fryer | 139 | 5.0
        Mixeur plongeant | Hand blender | 49 | 1.0"""),
    Shelf("clothing", ("Maille d’Armor", "Rivage 22", "Nordlys", "Cotonnière"), "size", 27, "shirt", """
        Pull en laine mérinos | Merino jumper | 79 | 0.4
        T-shirt en coton bio | Organic cotton T-shirt | 25 | 0.2
        Veste imperméable | Waterproof jacket | 129 | 0.8
        Jean coupe droite | Straight-cut jeans | 69 | 0.7
        Robe d’été | Summer dress | 59 | 0.3
        Chemise en oxford | Oxford shirt | 49 | 0.3
        Manteau en drap de laine | Wool coat | 189 | 1.6
        Pantalon chino | Chinos | 59 | 0.5
        Cardigan à boutons | Buttoned cardigan | 65 | 0.5
        Doudoune légère | Light down jacket | 119 | 0.6"""),
    Shelf("footwear", ("Semelle d’Or", "Caminho", "Pas Perdus", "Stapperij"), "shoe", 29, "shoe", """
        Baskets en toile | Canvas trainers | 59 | 0.8
        Bottines en cuir | Leather ankle boots | 139 | 1.3
        Sandales | Sandals | 45 | 0.5
        Mocassins | Loafers | 99 | 0.8
        Chaussures de randonnée | Hiking shoes | 119 | 1.1
        Chaussons fourrés | Lined slippers | 29 | 0.4
        Bottes de pluie | Wellington boots | 39 | 1.4
        Derbies | Derby shoes | 129 | 1.0
        Espadrilles | Espadrilles | 35 | 0.5"""),
    Shelf("accessories", ("Besace & Fils", "Quai des Brumes", "Zuccarino", "Tragwerk"), "colour", 28, "bag", """
        Sac à dos urbain | City backpack | 79 | 0.8
        Valise cabine | Cabin suitcase | 129 | 2.7
        Ceinture en cuir | Leather belt | 35 | 0.2
        Écharpe en cachemire | Cashmere scarf | 89 | 0.2
        Parapluie tempête | Storm umbrella | 39 | 0.5
        Portefeuille | Wallet | 45 | 0.1
        Bonnet côtelé | Ribbed beanie | 22 | 0.1
        Lunettes de soleil | Sunglasses | 69 | 0.1
        Sac cabas | Tote bag | 49 | 0.5"""),
    Shelf("jewellery-watches", ("Aiguille d’Argent", "Ottavia", "Heure Bleue", "Perlane"), "plain", 31, "watch", """
        Montre automatique | Automatic watch | 299 | 0.2
        Montre à quartz | Quartz watch | 119 | 0.1
        Collier plaqué or | Gold-plated necklace | 59 | 0.1
        Boucles d’oreilles en argent | Silver earrings | 45 | 0.1
        Bracelet jonc | Bangle | 49 | 0.1
        Bague ajustable | Adjustable ring | 35 | 0.1
        Montre enfant | Children’s watch | 39 | 0.1
        Coffret à bijoux | Jewellery box | 55 | 0.9"""),
    Shelf("baby-children", ("Pimprelin", "Petit Tangage", "Kuschelbär & Co", "Doudoulette"), "age", 32, "stroller", """
        Poussette compacte | Compact stroller | 249 | 7.5
        Siège auto | Car seat | 179 | 8.4
        Body en coton, lot de cinq | Cotton bodysuits, pack of five | 29 | 0.4
        Gigoteuse | Sleeping bag | 49 | 0.7
        Chaise haute évolutive | Growing high chair | 159 | 8.0
        Tapis d’éveil | Play mat | 69 | 1.6
        Porte-bébé | Baby carrier | 99 | 0.9
        Doudou lapin | Rabbit comforter | 22 | 0.1
        Combinaison pilote | Snowsuit | 65 | 0.9"""),
    Shelf("cycling", ("Vélorive", "Kettenwerk", "Col du Vent", "Pedalera"), "colour", 37, "bike", """
        Vélo de ville six vitesses | Six-speed city bike | 499 | 16
        Casque de vélo | Cycle helmet | 69 | 0.4
        Porte-bagages arrière | Rear rack | 45 | 0.9
        Sacoches doubles étanches | Waterproof double panniers | 119 | 1.8
        Antivol articulé | Folding lock | 79 | 1.2
        Éclairage rechargeable | Rechargeable light set | 39 | 0.2
        Selle confort | Comfort saddle | 49 | 0.6
        Pompe à pied | Floor pump | 45 | 1.5
        Remorque enfant | Child trailer | 299 | 13
        Vélo enfant 20 pouces | 20-inch children’s bike | 229 | 10"""),
    Shelf("sport-outdoor", ("Crête Vive", "Ruta Norte", "Sentier 8", "Fjellrev Sport"), "colour", 29, "tent", """
        Tente trois places | Three-person tent | 189 | 4.3
        Sac de couchage | Sleeping bag | 89 | 1.5
        Tapis de yoga | Yoga mat | 35 | 1.2
        Haltères réglables | Adjustable dumbbells | 149 | 20
        Raquette de tennis | Tennis racket | 99 | 0.4
        Bâtons de marche | Walking poles | 59 | 0.5
        Ballon de football | Football | 29 | 0.5
        Sac de randonnée 40 litres | 40-litre hiking pack | 129 | 1.6
        Gourde isotherme | Insulated bottle | 27 | 0.4
        Banc de musculation | Weight bench | 199 | 19"""),
    Shelf("toys-games", ("Bois Joli", "Mécanix Junior", "Spielwiese", "Trois Petits Tours"), "plain", 30, "blocks", """
        Train en bois quarante pièces | Forty-piece wooden train | 49 | 2.1
        Puzzle mille pièces | 1,000-piece puzzle | 17 | 0.8
        Jeu de société familial | Family board game | 35 | 1.3
        Poupée de chiffon | Rag doll | 29 | 0.3
        Circuit de billes | Marble run | 45 | 1.6
        Peluche ours | Teddy bear | 25 | 0.4
        Briques de construction | Building bricks | 39 | 1.4
        Dînette en bois | Wooden tea set | 32 | 0.9
        Trottinette enfant | Children’s scooter | 59 | 2.8
        Coffret de magie | Magic set | 34 | 0.9"""),
    Shelf("books-media", ("Éditions du Phare", "Papier Calque", "Plume & Cie", "Blattwerk"), "title", 24, "book", """
        Beau livre de cuisine | Illustrated cookbook | 32 | 1.6
        Album jeunesse | Picture book | 14 | 0.5
        Carnet pointillé | Dotted notebook | 12 | 0.3
        Stylo plume | Fountain pen | 39 | 0.1
        Agenda annuel | Yearly diary | 18 | 0.3
        Disque vinyle | Vinyl record | 27 | 0.3
        Atlas illustré | Illustrated atlas | 45 | 2.2
        Feutres, boîte de cinquante | Felt pens, box of fifty | 29 | 0.7"""),
    Shelf("pets", ("Poil & Plume", "Miaulin", "Wuffhausen", "Gamelle"), "plain", 35, "bowl", """
        Arbre à chat | Cat tree | 89 | 11
        Panier pour chien | Dog bed | 49 | 1.7
        Croquettes chien 12 kg | Dog food 12 kg | 55 | 12
        Litière minérale 10 kg | Mineral cat litter 10 kg | 15 | 10
        Fontaine à eau | Water fountain | 39 | 1.1
        Laisse rétractable | Retractable lead | 22 | 0.3
        Aquarium 60 litres | 60-litre aquarium | 119 | 9
        Caisse de transport | Pet carrier | 45 | 2.6"""),
    Shelf("phones-tablets", ("Orvane", "Telmia", "Sigma Nord", "Pixelor"), "capacity", 44, "phone", """
        Smartphone 6,1 pouces | 6.1-inch smartphone | 349 | 0.4
        Smartphone 6,7 pouces | 6.7-inch smartphone | 549 | 0.5
        Tablette 10 pouces | 10-inch tablet | 279 | 0.9
        Tablette 8 pouces | 8-inch tablet | 159 | 0.6
        Smartphone renforcé | Rugged smartphone | 299 | 0.6
        Liseuse | E-reader | 139 | 0.4
        Tablette enfant | Children’s tablet | 99 | 0.7"""),
    Shelf("computing", ("Calculis", "Octane 9", "Nordbit", "Sylène"), "plain", 41, "laptop", """
        Ordinateur portable 14 pouces | 14-inch laptop | 749 | 2.4
        Écran 27 pouces | 27-inch monitor | 249 | 6.1
        Clavier mécanique | Mechanical keyboard | 99 | 1.2
        Souris sans fil | Wireless mouse | 35 | 0.2
        Disque SSD externe | External SSD | 109 | 0.2
        Imprimante laser | Laser printer | 189 | 10
        Routeur Wi-Fi | Wi-Fi router | 129 | 0.8
        Station d’accueil | Docking station | 169 | 0.6
        Webcam | Webcam | 59 | 0.2
        Disque réseau | Network drive | 259 | 2.2"""),
    Shelf("audio-video", ("Sonorel", "Klangfeld", "Écho Rive", "Auditus"), "colour", 33, "headphones", """
        Casque à réduction de bruit | Noise-cancelling headphones | 199 | 0.5
        Enceinte portable | Portable speaker | 89 | 0.8
        Barre de son | Soundbar | 249 | 3.9
        Téléviseur 55 pouces | 55-inch television | 599 | 17
        Écouteurs sans fil | Wireless earbuds | 99 | 0.1
        Platine vinyle | Turntable | 179 | 4.6
        Appareil photo compact | Compact camera | 379 | 0.5
        Vidéoprojecteur | Projector | 429 | 3.1
        Radio-réveil | Clock radio | 39 | 0.6"""),
    Shelf("video-games", ("Pixeline", "Arcadélia", "Joystyk", "Nova Quest"), "plain", 36, "gamepad", """
        Manette sans fil | Wireless controller | 59 | 0.4
        Console portable | Handheld console | 249 | 0.7
        Jeu d’aventure | Adventure game | 49 | 0.1
        Jeu de course | Racing game | 39 | 0.1
        Casque de jeu | Gaming headset | 79 | 0.5
        Volant à retour de force | Force-feedback wheel | 229 | 6.2
        Fauteuil de jeu | Gaming chair | 199 | 19
        Borne d’arcade de table | Table-top arcade | 149 | 5.5"""),
    Shelf("smart-home", ("Domovia", "Chez Soi Connect", "Hausfunk", "Filéo"), "plain", 28, "bulb", """
        Thermostat connecté | Smart thermostat | 149 | 0.4
        Sonnette vidéo | Video doorbell | 129 | 0.4
        Prise connectée, lot de quatre | Smart plugs, pack of four | 49 | 0.4
        Chargeur rapide | Fast charger | 35 | 0.2
        Batterie externe | Power bank | 45 | 0.4
        Caméra intérieure | Indoor camera | 59 | 0.3
        Câble USB-C tressé | Braided USB-C cable | 15 | 0.1
        Ampoule connectée | Smart bulb | 19 | 0.1
        Montre connectée | Smart watch | 159 | 0.2"""),
    Shelf("tools", ("Forge Basse", "Werkstolz", "Établi 12", "Martelo"), "plain", 38, "drill", """
        Perceuse visseuse sans fil | Cordless drill driver | 129 | 2.1
        Scie sauteuse | Jigsaw | 89 | 2.6
        Coffret de douilles | Socket set | 99 | 5.8
        Ponceuse orbitale | Orbital sander | 79 | 1.8
        Meuleuse d’angle | Angle grinder | 75 | 2.2
        Niveau laser | Laser level | 119 | 0.9
        Servante d’atelier | Tool trolley | 349 | 42
        Tournevis isolés | Insulated screwdrivers | 35 | 0.8
        Compresseur 24 litres | 24-litre compressor | 189 | 21
        Étau d’établi | Bench vice | 69 | 7.4"""),
    Shelf("building", ("Murovert", "Pierre & Chaux", "Bodenland", "Chantourne"), "colour", 32, "brush", """
        Peinture mate 10 litres | Matt paint 10 litres | 69 | 14
        Parquet stratifié, paquet | Laminate flooring, pack | 39 | 15
        Carrelage grès cérame, paquet | Porcelain tiles, pack | 45 | 24
        Porte intérieure | Interior door | 149 | 22
        Panneau isolant | Insulation board | 29 | 4
        Verrou multipoint | Multi-point lock | 119 | 2.4
        Enduit de lissage 15 kg | Finishing filler 15 kg | 25 | 15
        Store enrouleur | Roller blind | 35 | 1.6"""),
    Shelf("plumbing-electrical", ("Robinel", "Aquatis", "Wärmequell", "Courant Clair"), "plain", 34, "tap", """
        Mitigeur de lavabo | Basin mixer tap | 79 | 1.5
        Colonne de douche | Shower column | 169 | 4.2
        Radiateur à inertie | Inertia radiator | 299 | 14
        Sèche-serviettes | Towel radiator | 189 | 8.6
        Tableau électrique | Consumer unit | 139 | 3.5
        Interrupteurs, lot de dix | Switches, pack of ten | 39 | 0.9
        Chauffe-eau 100 litres | 100-litre water heater | 349 | 31
        Gaine électrique 50 m | Electrical conduit 50 m | 45 | 5.2
        Pompe de relevage | Lift pump | 99 | 4.8"""),
    Shelf("garden", ("Jardinelle", "Grünzeug & Söhne", "Terre Meuble", "Verdemar"), "colour", 37, "plant", """
        Salon de jardin quatre places | Four-seat garden set | 449 | 38
        Tondeuse à batterie | Battery lawn mower | 329 | 16
        Barbecue à charbon | Charcoal barbecue | 159 | 18
        Tuyau d’arrosage 25 m | Garden hose 25 m | 39 | 3.3
        Bac à fleurs | Planter | 35 | 2.4
        Taille-haie | Hedge trimmer | 119 | 3.9
        Parasol déporté | Cantilever parasol | 199 | 15
        Serre de balcon | Balcony greenhouse | 69 | 5
        Sécateur | Secateurs | 29 | 0.3
        Composteur 300 litres | 300-litre composter | 75 | 9"""),
    Shelf("automotive", ("Rouloline", "Motorix", "Asphalte Gris", "Ruotino"), "plain", 33, "wheel", """
        Pneu été 205/55 R16 | Summer tyre 205/55 R16 | 89 | 9
        Batterie 70 Ah | 70 Ah battery | 119 | 17
        Huile moteur 5 litres | Engine oil 5 litres | 49 | 4.6
        Porte-vélos d’attelage | Towbar bike rack | 249 | 15
        Casque moto intégral | Full-face helmet | 159 | 1.6
        Balais d’essuie-glace | Wiper blades | 25 | 0.4
        Coffre de toit | Roof box | 329 | 17
        Plaquettes de frein | Brake pads | 45 | 2.1
        Chaînes à neige | Snow chains | 69 | 4.2"""),
    Shelf("grocery", ("Moulin Brévent", "Conserverie du Raz", "Dolcemare", "Bon Panier"), "pack", 40, "jar", """
        Pâtes artisanales 500 g | Artisan pasta 500 g | 23 | 6
        Huile d’olive vierge 75 cl | Virgin olive oil 75 cl | 89 | 9
        Sardines à l’huile | Sardines in oil | 42 | 2
        Confiture d’abricots | Apricot jam | 38 | 5
        Biscuits sablés | Shortbread biscuits | 29 | 3
        Chocolat noir 70 % | Dark chocolate 70% | 36 | 2
        Riz long grain 1 kg | Long-grain rice 1 kg | 27 | 12
        Miel de lavande | Lavender honey | 68 | 6
        Soupe de légumes | Vegetable soup | 31 | 11"""),
    Shelf("drinks", ("Source Vernay", "Caves d’Aubrac", "Torrefatto", "Houblonnière"), "pack", 46, "bottle", """
        Vin rouge, côtes du Sud | Red wine, southern slopes | 54 | 8
        Bière blonde artisanale | Craft lager | 26 | 9
        Café en grains 1 kg | Coffee beans 1 kg | 96 | 6
        Jus de pomme fermier | Farm apple juice | 22 | 7
        Thé vert sencha | Sencha green tea | 48 | 1
        Eau pétillante | Sparkling water | 9 | 9
        Limonade artisanale | Craft lemonade | 21 | 8
        Cidre brut | Dry cider | 29 | 9"""),
    Shelf("beauty", ("Rosée d’Ambre", "Ile Blanche", "Hautnah", "Séraphine"), "scent", 28, "flacon", """
        Crème hydratante visage | Face moisturiser | 29 | 0.2
        Eau de parfum 50 ml | Eau de parfum 50 ml | 65 | 0.3
        Shampooing solide | Shampoo bar | 11 | 0.1
        Baume à lèvres | Lip balm | 9 | 0.1
        Sérum à la vitamine C | Vitamin C serum | 35 | 0.1
        Huile pour le corps | Body oil | 24 | 0.3
        Masque capillaire | Hair mask | 22 | 0.3
        Coffret de soins | Skincare gift set | 55 | 0.8
        Lait démaquillant | Cleansing milk | 17 | 0.3"""),
    Shelf("hygiene-cleaning", ("Savonnerie Blanche", "Netbel", "Frischwerk", "Clair Matin"), "scent", 39, "spray", """
        Lessive liquide 3 litres | Laundry liquid 3 litres | 19 | 3.2
        Savon de Marseille | Marseille soap | 8 | 0.4
        Nettoyant multi-usage | All-purpose cleaner | 6 | 0.8
        Papier toilette, 24 rouleaux | Toilet paper, 24 rolls | 14 | 3
        Tablettes lave-vaisselle | Dishwasher tablets | 16 | 1.2
        Gel douche familial | Family shower gel | 9 | 0.8
        Liquide vaisselle | Washing-up liquid | 5 | 0.9
        Adoucissant 2 litres | Fabric softener 2 litres | 11 | 2.1"""),
    Shelf("health", ("Officinelle", "Vitavel", "Medisan", "Cap Tonus"), "plain", 31, "cross", """
        Tensiomètre | Blood-pressure monitor | 49 | 0.5
        Thermomètre sans contact | Contactless thermometer | 35 | 0.2
        Trousse de secours | First-aid kit | 29 | 0.9
        Multivitamines, 90 gélules | Multivitamins, 90 capsules | 22 | 0.2
        Gants nitrile, boîte de cent | Nitrile gloves, box of 100 | 12 | 0.6
        Masques FFP2, boîte de vingt | FFP2 masks, box of twenty | 18 | 0.3
        Coussin ergonomique | Ergonomic cushion | 45 | 0.9
        Bouillotte | Hot-water bottle | 17 | 0.6
        Pèse-personne | Bathroom scales | 39 | 1.9"""),
)  # fmt: skip
