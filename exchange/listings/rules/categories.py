"""The exchange's own small tree: six sectors of five categories, four regions (insight guide §11: 6 x 5 x 4).

Every lot has one category and one region: together its leaf. The tree is frozen for a year (insight guide §3).
"""

from dataclasses import dataclass
from functools import lru_cache

from exchange.errors import N_
from exchange.listings.rules.words import plain


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of goods; ``words`` (four or more languages) are what people call them in their lists."""

    slug: str
    sector: str
    name: str
    words: tuple[str, ...]


SECTORS: dict[str, str] = {
    "home": N_("Home"),
    "fashion": N_("Fashion"),
    "leisure": N_("Sport and leisure"),
    "electronics": N_("Electronics"),
    "diy": N_("DIY, garden and car"),
    "everyday": N_("Food, beauty and health"),
}

REGIONS: dict[str, str] = {
    "fr-north": N_("Northern France"),
    "fr-south": N_("Southern France"),
    "eu-north": N_("Northern Europe"),
    "eu-south": N_("Southern Europe"),
}

_SOUTHERN_COUNTRIES = {"ES", "PT", "IT", "GR", "MT", "CY", "HR", "SI", "BG", "RO", "AD", "MC", "SM", "VA", "GI"}
_SOUTHERN_FRANCE = ("aquitaine", "occitanie", "provence", "paca", "auvergne", "rhone", "corse", "reunion", "mayotte",
                    "guadeloupe", "martinique", "guyane", "limousin", "languedoc", "midi")  # fmt: skip


def _c(slug: str, sector: str, name: str, words: str) -> Category:
    return Category(slug, sector, name, tuple(plain(w) for w in words.split(",")))


CATEGORIES: tuple[Category, ...] = (
    _c(
        "furniture",
        "home",
        N_("Furniture"),
        "furniture, sofa, couch, armchair, chair, table, desk, wardrobe, drawers, recliner, recliners, living room, "
        "bookcase, stool, mobilier, meuble, meubles, canape, fauteuil, chaise, bureau, armoire, commode, "
        "etagere, mobel, stuhl, tisch, muebles, silla, mesa, mobili, sedia",
    ),
    _c(
        "home-textiles",
        "home",
        N_("Bedding and home textiles"),
        "bedding, duvet, pillow, pillows, sheets, towel, towels, curtain, rug, mattress, mattresses, blanket, "
        "cushion, linge de maison, literie, couette, oreiller, drap, serviette, rideau, tapis, matelas, coussin, "
        "plaid, bettwasche, handtuch, ropa de cama, toalla",
    ),
    _c(
        "tableware",
        "home",
        N_("Kitchen and tableware"),
        "kitchen, cookware, tableware, saucepan, plates, mug, mugs, glassware, cutlery, knife, bakeware, "
        "cuisine, vaisselle, casserole, poele, assiette, couteau, couverts, verres, kuche, geschirr, cocina, vajilla, "
        "gobelets",
    ),
    _c(
        "lighting-decor",
        "home",
        N_("Lighting and decoration"),
        "lighting, lamp, lamps, candle, decor, decoration, mirror, vase, chandelier, luminaire, lampe, "
        "suspension, bougie, miroir, cadre, deko, lampen, leuchte, iluminacion, lampara, illuminazione",
    ),
    _c(
        "home-appliances",
        "home",
        N_("Household appliances"),
        "appliance, appliances, small appliances, kettle, toaster, vacuum, vacuum cleaners, washing machine, "
        "dishwasher, fridge, refrigerator, microwave, blender, coffee machine, electromenager, "
        "bouilloire, aspirateur, lave linge, lave vaisselle, refrigerateur, cafetiere, haushaltsgerate, "
        "staubsauger, electrodomesticos",
    ),
    _c(
        "clothing",
        "fashion",
        N_("Clothing"),
        "clothing, apparel, t shirt, tshirt, tshirts, shirt, dress, jeans, trousers, pants, jacket, jackets, hoodie, "
        "hoodies, sweater, sweaters, coat, shorts, tanks, tees, skirt, "
        "leggings, vetement, vetements, pret a porter, robe, pantalon, chemise, veste, manteau, pull, bekleidung, "
        "kleidung, hemd, ropa, camisa, pantalones, abbigliamento, kleding",
    ),
    _c(
        "footwear",
        "fashion",
        N_("Footwear"),
        "footwear, shoe, shoes, boot, boots, sneaker, sneakers, trainers, sandals, slippers, chaussure, chaussures, "
        "bottes, baskets, sandales, pantoufles, schuhe, stiefel, zapatos, zapatillas, scarpe, schoenen",
    ),
    _c(
        "accessories",
        "fashion",
        N_("Bags and accessories"),
        "accessories, bag, bags, handbag, wallet, belt, beanie, scarf, gloves, sunglasses, luggage, "
        "suitcase, backpack, umbrella, sac, sacs, maroquinerie, ceinture, chapeau, casquette, bonnet, echarpe, gants, "
        "lunettes, bagagerie, valise, tasche, taschen, gurtel, bolso, cinturon, borsa",
    ),
    _c(
        "jewellery-watches",
        "fashion",
        N_("Jewellery and watches"),
        "jewellery, jewelry, necklace, bracelet, earrings, watches, bijoux, bijou, bague, collier, "
        "boucles d oreilles, montre, montres, schmuck, uhr, uhren, joyeria, reloj, gioielli, orologio",
    ),
    _c(
        "baby-children",
        "fashion",
        N_("Babies and children"),
        "baby, babies, kids, children, stroller, strollers, nappies, diapers, car seat, bebe, enfant, enfants, "
        "puericulture, poussette, couches, layette, kinder, kinderwagen, panales, nino, bambini",
    ),
    _c(
        "cycling",
        "leisure",
        N_("Cycling"),
        "bicycle, bicycles, bike, bikes, cycling, handlebar, saddle, fender, velo, velos, cycle, cycles, guidon, "
        "selle, fahrrad, fahrrader, sattel, lenker, felge, bicicleta, bicicletta, fiets",
    ),
    _c(
        "sport-outdoor",
        "leisure",
        N_("Sport and outdoor"),
        "sport, sports, fitness, fitness equipment, yoga, dumbbell, gym, camping, tent, hiking, ski, football, "
        "running, outdoor, outdoors, fishing, golf, tennis, randonnee, tente, musculation, peche, haltere, wandern, "
        "zelt, deporte, deportes",
    ),
    _c(
        "toys-games",
        "leisure",
        N_("Toys and games"),
        "toy, toys, doll, puzzle, board game, building sets, lego, plush, playset, jouet, jouets, jeu, jeux, poupee, "
        "peluche, spielzeug, spiel, puppe, juguete, juguetes, giocattoli, speelgoed",
    ),
    _c(
        "books-media",
        "leisure",
        N_("Books, music and stationery"),
        "book, books, music, dvd, vinyl, album, magazine, stationery, notebook, office, livre, livres, "
        "papeterie, stylo, cahier, musique, fournitures de bureau, buch, bucher, schreibwaren, libro, libros, "
        "papeleria, cancelleria",
    ),
    _c(
        "pets",
        "leisure",
        N_("Pets"),
        "pet, pets, pet supplies, pet beds, aquarium, animalerie, chien, chat, croquettes, litiere, "
        "haustier, hund, katze, mascotas, perro, gato",
    ),
    _c(
        "phones-tablets",
        "electronics",
        N_("Phones and tablets"),
        "phone, phones, smartphone, smartphones, tablet, tablets, iphone, ipad, galaxy, telephone, telephonie, "
        "tablette, handy, telefono, movil",
    ),
    _c(
        "computing",
        "electronics",
        N_("Computing"),
        "computer, computers, laptop, laptops, monitor, monitors, keyboard, mouse, printer, ssd, hard drive, "
        "processor, router, usb, memory card, ordinateur, ordinateurs, informatique, ecran, clavier, souris, "
        "imprimante, drucker, rechner, informatica, ordenador, portatil",
    ),
    _c(
        "audio-video",
        "electronics",
        N_("Sound, picture and photo"),
        "audio, headphones, earbuds, headset, speaker, speakers, soundbar, tv, television, televisions, camera, "
        "cameras, microphone, earphones, ipods, ipod, casque, ecouteurs, enceinte, televiseur, appareil photo, hifi, "
        "kopfhorer, lautsprecher, fernseher, auriculares, altavoz, televisor",
    ),
    _c(
        "video-games",
        "electronics",
        N_("Video games"),
        "video games, video game, console, consoles, xbox, playstation, nintendo, gaming, gamepad, jeux video, jeu "
        "video, manette, videospiele, konsole, videojuegos, consola",
    ),
    _c(
        "smart-home",
        "electronics",
        N_("Connected home and accessories"),
        "electronics, smart home, thermostat, battery, batteries, charger, cable, adapter, doorbell, security camera, "
        "smart domotique, pile, piles, chargeur, adaptateur, electronique, elektronik, ladegerat, kabel, "
        "electronica, cargador, elettronica",
    ),
    _c(
        "tools",
        "diy",
        N_("Tools"),
        "tool, tools, power tools, hand tools, drill, saw, screwdriver, hammer, wrench, grinder, vice, outil, outils, "
        "outillage, perceuse, scie, tournevis, marteau, werkzeug, bohrmaschine, herramientas, herramienta, "
        "ferreteria, taladro, maquina herramienta, utensili, gereedschap",
    ),
    _c(
        "building",
        "diy",
        N_("Building and decorating"),
        "building, home improvement, paint, tile, tiles, flooring, cement, brick, timber, insulation, "
        "bricolage, peinture, carrelage, parquet, ciment, brique, porte, fenetre, isolation, quincaillerie, serrure, "
        "farbe, fliesen, holz, zement, cemento, ladrillo, ladrillos, pintura, aridos, bolsas, aberturas, hierros, "
        "edilizia",
    ),
    _c(
        "plumbing-electrical",
        "diy",
        N_("Plumbing, heating and electrical"),
        "plumbing, faucet, boiler, radiator, heating, electrical, plomberie, robinet, "
        "tuyau, chaudiere, chauffage, electricite, interrupteur, prise, sanitar, heizung, electricidad, plomeria, "
        "fontaneria, sanitarios, canos, idraulica",
    ),
    _c(
        "garden",
        "diy",
        N_("Garden"),
        "garden, gardening, lawn, mower, outdoor furniture, plant, plants, watering, barbecue, bbq, jardin, "
        "jardinage, tondeuse, plante, plantes, arrosage, salon de jardin, garten, rasenmaher, pflanzen, jardineria, "
        "giardino, tuin",
    ),
    _c(
        "automotive",
        "diy",
        N_("Car and motorbike"),
        "automotive, tyre, tyres, tire, tires, motorcycle, motorbike, brake, oil filter, vehicle, "
        "automobile, voiture, moto, pneu, pneus, frein, huile moteur, autoteile, reifen, motorrad, neumatico, coche, "
        "pneumatici",
    ),
    _c(
        "grocery",
        "everyday",
        N_("Grocery"),
        "grocery, food, snack, biscuit, biscuits, chocolate, pasta, rice, flour, sauce, cereal, cheese, candy, soup, "
        "epicerie, alimentation, alimentaire, biscuits, chocolat, pates, riz, farine, conserve, conserves, fromage, "
        "fromages, soupe, soupes, confiserie, frais, surgeles, chips, petit dejeuners, lebensmittel, nudeln, kekse, "
        "alimentos, lacteos, confites, cereales, aceites, condimentos, galletas, fiambres, alimentari",
    ),
    _c(
        "drinks",
        "everyday",
        N_("Drinks"),
        "drink, drinks, beverage, beverages, wine, beer, whisky, vodka, juice, water, soda, coffee, tea, boisson, "
        "boissons, vin, vins, biere, bieres, spiritueux, jus, eau, cafe, getranke, wein, bier, saft, bebidas, "
        "vino, vinos, cerveza, cervezas, destilados, licores, bevande, birra",
    ),
    _c(
        "beauty",
        "everyday",
        N_("Beauty"),
        "beauty, cosmetics, makeup, make up, perfume, fragrance, skincare, shampoo, hair, personal care, beaute, "
        "cosmetique, cosmetiques, maquillage, parfum, parfums, soin, soins, shampooing, coiffure, kosmetik, parfum, "
        "haarpflege, belleza, cosmeticos, aseo personal, bellezza, profumo",
    ),
    _c(
        "hygiene-cleaning",
        "everyday",
        N_("Hygiene and cleaning"),
        "hygiene, cleaning, detergent, laundry, soap, paper towels, toilet paper, entretien, nettoyage, lessive, "
        "savon, droguerie, papier toilette, liquide vaisselle, menage, reinigung, waschmittel, seife, limpieza, "
        "articulos de aseo, detergente, jabon, pulizia",
    ),
    _c(
        "health",
        "everyday",
        N_("Health and medical supplies"),
        "health, medical, pharmacy, supplement, vitamins, bandage, syringe, first aid, mask, sante, medical, "
        "pharmacie, parapharmacie, pansement, pansements, seringue, seringues, aiguilles, compresses, compresse, "
        "complement alimentaire, gesundheit, apotheke, verband, farmacia, salud, medico, salute",
    ),
)

BY_SLUG: dict[str, Category] = {c.slug: c for c in CATEGORIES}


def region_of(country: str, region: str = "") -> str:
    """The region of the tree a company's own country and region lie in."""
    if country == "FR":
        named = plain(region)
        return "fr-south" if any(part in named for part in _SOUTHERN_FRANCE) else "fr-north"
    return "eu-south" if country in _SOUTHERN_COUNTRIES else "eu-north"


def guess(*texts: str) -> str | None:
    """The category a seller's own words point to (``Maison > Électroménager``), or ``None``.

    In each text the longest known word wins, and of those the last: ``Home, Outdoor Furniture`` is for the garden. A
    word that names half a shop (``Electronics``) counts only when no text says more.
    """
    vague = None
    for text in texts:
        slug, word = _guess(text)
        if slug and word not in _VAGUE:
            return slug
        vague = vague or slug
    return vague


_VAGUE = {
    "electronics", "electronique", "elektronik", "electronica", "elettronica", "accessories", "accessoires", "kitchen",
    "cuisine", "home improvement", "bricolage", "outdoor", "outdoors", "office", "gaming", "living room", "sports",
    "sport", "kinder", "enfant", "kids", "children", "tools", "food", "health", "music",
}  # fmt: skip


@lru_cache(maxsize=16384)
def _guess(text: str) -> tuple[str | None, str]:
    words = plain(text).split()
    best: tuple[int, int, str, str] | None = None
    for start in range(len(words)):
        for length in (4, 3, 2, 1):
            word = " ".join(words[start : start + length])
            slug = _by_word().get(word)
            if slug and start + length <= len(words):
                best = max(best or (0, 0, "", ""), (length if word not in _VAGUE else 0, start, slug, word))
                break
    return (best[2], best[3]) if best else (None, "")


@lru_cache(maxsize=1)
def _by_word() -> dict[str, str]:
    index: dict[str, str] = {}
    for category in CATEGORIES:
        for word in category.words:
            index.setdefault(word, category.slug)
    return index
