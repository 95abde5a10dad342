"""What merchants call their columns, in seven languages: French, English, Spanish, German, Italian, Dutch, Portuguese.

Each rule is a pattern on the plain form of a header (`words.plain`), the role it means and how sure that is. The order
matters: the first rule that matches gives the role, so that ``prix d'achat`` is a cost before it is a price.
"""

import re
from enum import StrEnum

from exchange.errors import N_
from exchange.listings.rules.words import plain


class Role(StrEnum):
    """What a column of a stock list holds."""

    TITLE = "title"
    DESCRIPTION = "description"
    GTIN = "gtin"
    SELLER_REF = "seller_ref"
    """The seller's own code: kept for the seller, never shown to a rival."""
    BRAND = "brand"
    MODEL = "model"
    CATEGORY = "category"
    QUANTITY = "quantity"
    AVAILABILITY = "availability"
    """Yes or no: whether there is any stock."""
    RRP = "rrp"
    """Retail value of one unit, a reference only."""
    RRP_TOTAL = "rrp_total"
    PRICE = "price"
    """The price in the seller's own shop: stands in for the retail value where that is missing."""
    ASK = "ask"
    """What the seller asks of another dealer, each, ex VAT."""
    COST = "cost"
    """What the seller paid or earns: confidential. Recognised in order to be set aside; its cells are not read."""
    GRADE = "grade"
    CURRENCY = "currency"
    WEIGHT = "weight"
    WEIGHT_UNIT = "weight_unit"
    IMAGE = "image"
    OPTION = "option"
    """A size, a colour: tells one variant from the next and ends up in the title."""
    PARENT = "parent"
    """The key that holds the variants of one article together (Shopify's Handle, WooCommerce's Parent)."""
    KIND = "kind"
    """What sort of record a shop export holds: article, parent of variants, download."""
    IGNORED = "ignored"


LABELS: dict[Role, str] = {
    Role.TITLE: N_("Title"),
    Role.DESCRIPTION: N_("Description"),
    Role.GTIN: N_("Bar code (GTIN)"),
    Role.SELLER_REF: N_("Your reference (kept private)"),
    Role.BRAND: N_("Brand"),
    Role.MODEL: N_("Model"),
    Role.CATEGORY: N_("Category"),
    Role.QUANTITY: N_("Quantity"),
    Role.AVAILABILITY: N_("In stock, yes or no"),
    Role.RRP: N_("Retail price, each"),
    Role.RRP_TOTAL: N_("Retail price, whole row"),
    Role.PRICE: N_("Your shop price, each"),
    Role.ASK: N_("Price you ask, each, ex VAT"),
    Role.COST: N_("Your cost (set aside, never read)"),
    Role.GRADE: N_("Condition"),
    Role.CURRENCY: N_("Currency"),
    Role.WEIGHT: N_("Weight, each"),
    Role.WEIGHT_UNIT: N_("Unit of weight"),
    Role.IMAGE: N_("Picture"),
    Role.OPTION: N_("Size, colour or other option"),
    Role.PARENT: N_("Key that groups variants"),
    Role.KIND: N_("Type of record"),
    Role.IGNORED: N_("Not used"),
}

REPEATABLE = {Role.GTIN, Role.CATEGORY, Role.OPTION, Role.COST, Role.IGNORED, Role.DESCRIPTION}
"""Roles that more than one column may have; of the others the surest column wins."""

_RULES: tuple[tuple[str, Role, float], ...] = (
    # Never to be taken for what they resemble.
    (
        r"(shipping|delivery|transport|livraison|versand|envio|freight|port)\b.*\b(cost|price|frais|kosten|"
        r"prix)|frais de port",
        Role.IGNORED, 0.9,
    ),
    (r"(option|attribute|attribut|feature)\s?\d* (name|visible|global|default)|attribute set", Role.IGNORED, 0.9),
    (
        r"(_| )100 ?g$|nutri|energy|meta |^seo|^url|url rewritten|url key|^slug$|^lien|^link|custom label|"
        r"adwords",
        Role.IGNORED, 0.9,
    ),
    (
        r"\b(code|ref|reference|cod|nr|no|sku)\b.*\b(fournisseur|supplier|proveedor|prov|lieferant|fornitore|"
        r"leverancier|vendor)\b|\b(supplier|vendor|fournisseur|lieferanten)\s?(ref|reference|code|sku|nr|"
        r"artikelnummer)|^supplier ?ref",
        Role.IGNORED, 0.9,
    ),
    (
        r"^(fournisseur|supplier|proveedor|lieferant|fornitore|leverancier|fornecedor|store|stores|magasin|"
        r"depot|entrepot|warehouse|almacen|bodega|lager|lagerort|location|emplacement|sucursal)s?\b",
        Role.IGNORED, 0.9,
    ),
    # Confidential: what the seller paid and what he earns.
    (
        r"\b(costs?|costo|costos|coste|custo|couts?|cogs|landed|wholesale|pamp|pump|prmp|cmup)\b|"
        r"einkaufspreis|einstandspreis|\bek\b|prix (net )?d ?achat|\bachat\b|\bpa ht\b|prix de revient|"
        r"standard price|(purchase|buying|supplier|net cost) price|precio (de )?compra|prezzo (di |"
        r"d )?acquisto|inkoopprijs|preco de (compra|custo)|dealer (net )?price|\bmarg(e|in|en|ine|em)\b|"
        r"markup|gestehung|price paid",
        Role.COST, 0.95,
    ),
    (r"currency|devise|^monnaie$|^wahrung|^moneda|^valuta|^moeda", Role.CURRENCY, 0.95),
    (
        r"(weight|gewicht|peso|poids).*\b(unit|uom|einheit|unite|unidad)|weightuom|^uom ?weight",
        Role.WEIGHT_UNIT, 0.95,
    ),
    (r"\bweight|\bpoids|gewicht|\bpeso\b|^grams$|variant grams|\bgrammage\b", Role.WEIGHT, 0.85),
    (r"parent( (sku|id|ref))?$|^handle$|^group(e|ed)? id$|item group id", Role.PARENT, 0.9),
    (
        r"^(product )?image|^images?\b|image (src|url|link)|^photos?\b|^bild(er)?\b|^imagen(es)?\b|^foto|"
        r"base image|^picture|^afbeelding|^immagin",
        Role.IMAGE, 0.9,
    ),
    (r"image|thumbnail|photo", Role.IGNORED, 0.6),
    (
        r"\b(gtin|ean|upc|isbn|jan)s?\s?\d*\b|^ean|bar ?codes?\b|code ?s? ?(a )?barres?|strichcode|barras|"
        r"codice a barre|gencode?|streepjescode",
        Role.GTIN, 0.95,
    ),
    (
        r"\b(mpn|modele?|model|modell|modelo|modello)\b( (no|number|nr|name|ref))?|part ?(number|no)\b|"
        r"manufacturer (ref|reference|part|code)|ref(erence)? (fabricant|constructeur)|herstellernummer",
        Role.MODEL, 0.85,
    ),
    # Quantities that are not the stock for sale.
    (
        r"\b(min|mini|minimum|minimal|minimale|max|maximum|moq|low|seuil|alerte?|threshold|security|securite|"
        r"safety|sold|vendus?|vendues?|ventes|sales qty|verkauft|vendid[oa]s?|vendut[oi]|reserved|reservee?s?|"
        r"reserviert|reservado|incoming|expected|ordered|on order|en commande|commandee?s?|despachar|recibir|"
        r"received?|receive|backorders?|back order|increments?|per (pack|case|carton|box|pallet)|par (carton|"
        r"colis|palette)|out of stock|notify|cart|config|divided|decimal)\b(?!.*\b(dispo|available)\b).*",
        Role.IGNORED, 0.7,
    ),
    (
        r"^(is )?in ?stock$|^en ?stock$|^stock status$|^availability$|^disponibilite$|^available$|"
        r"^verfugbar(keit)?$|^disponibilidad$|^vorratig$",
        Role.AVAILABILITY, 0.8,
    ),
    (r"(text|texte|mention).*\bstock|stock management|depends on stock|tracker|policy|fulfil", Role.IGNORED, 0.9),
    (
        r"\b(qty|qte|quantity|quantite|quantites|cantidad|quantita|quantidade|menge|aantal)\b.*\b(available|"
        r"disponible|dispo|disponibile|on hand|stock)\b|\b(available|disponible|dispo|free) (qty|quantity|"
        r"stock|inventory)\b|qty available|verfugbare menge|stock (dispo|disponible|available|libre)|"
        r"verfugbarer bestand|quantite disponible|cantidad disponible|units available|variant inventory qty",
        Role.QUANTITY, 0.97,
    ),
    (
        r"^(shelf|virtual|theoretical|forecast\w*|previsionnel\w*|prevu\w*) ?(qty|quantity|stock)?$|"
        r"shelf quantity|stock (theorique|previsionnel|virtuel)",
        Role.QUANTITY, 0.5,
    ),
    (
        r"^(qty|qte|qtes|quantity|quantities|quantite|quantites|cantidad|quantita|quantidade|menge|stuckzahl|"
        r"anzahl|aantal|qta|qtd|cant|unidades|units|pieces|pcs|pezzi|piezas|stuck|stuks|nb|nbre|uvc|"
        r"nombre de pieces|nombre d unites)( (en stock|in stock|total|totale|uvc|pieces))?$|\b(qty|qte|"
        r"quantity|quantite|cantidad|menge)$",
        Role.QUANTITY, 0.92,
    ),
    (
        r"\bstocks?\b|\bbestand\b|lagerbestand|existencias?|giacenza|voorraad|estoque|inventory|inventaire|"
        r"on ?hand|disponible|disponibile|\bdispo\b",
        Role.QUANTITY, 0.85,
    ),
    (r"\b(qty|qte|quantity|quantite|cantidad|menge|quantita)\b", Role.QUANTITY, 0.7),
    # Prices.
    (
        r"\b(ext(ended|d)?|total|tot|gesamt|line)\b.*\b(retail|msrp|rrp|ppc|pvc|pvp|uvp|price public|"
        r"prix public)|\b(retail|msrp|rrp|ppc|pvc|pvp|uvp|prix public)\b.*\btotal",
        Role.RRP_TOTAL, 0.95,
    ),
    (
        r"\b(ask|asking)\b|prix (unitaire )?(demande|propose|de cession|cession|destock\w*|rachat|offre)|"
        r"clearance price|offer price|angebotspreis|abgabepreis|exchange price|precio (liquidacion|de cesion)",
        Role.ASK, 0.9,
    ),
    (
        r"\b(msrp|rrp|srp|ppc|pvc|ppi|uvp|retail|pvpr?)\b|prix (public|conseille|catalogue|barre|de reference|"
        r"neuf|magasin)|(regular|list|compare at|original|recommended|catalogue?|suggested) ?(retail )?price|"
        r"compare at|precio (de )?(lista|publico|normal)|listino|adviesprijs|listenpreis|unverbindliche|"
        r"preco (publico|tabela)|prezzo (al pubblico|consigliato)|retail value|valeur (neuf|publique)",
        Role.RRP, 0.92,
    ),
    (
        r"\b(special|sale|promo|promotion\w*|promotionnel|angebots|oferta|offerta|solde|discounted|map|"
        r"enabled|display|show|tier|group) ?(price|prix|preis|precio|prezzo)|prix (promo|solde|remise)|^(map|"
        r"special|msrp display|price view|show price|display actual)",
        Role.PRICE, 0.45,
    ),
    (
        r"price (type|view|from|to|display|rule|variation)|^lista de precios$|^price ?list$|^tarif$ id|"
        r"prices? date|(from|to) date$|date\b|sale price (start|end|dates)",
        Role.IGNORED, 0.7,
    ),
    (
        r"^(unit price|prix unitaire( ht)?|pu( ht)?|p u( ht)?|precio unitario|stuckpreis|einzelpreis|"
        r"prezzo unitario|stukprijs)$",
        Role.PRICE, 0.75,
    ),
    (
        r"\b(prix|price|preis|verkaufspreis|precio|prezzo|prijs|preco|pvp|pv|vk)\b|^(tarif|ttc|pvttc|pvht|"
        r"lst price|venta)\b|\b(venta|vente|sales?) ?\d*$|verkoopprijs|prix ?(ht|ttc)",
        Role.PRICE, 0.85,
    ),
    (r"^(ht|ttc)$|montant (ht|ttc)", Role.PRICE, 0.5),
    # Descriptions of the goods.
    (
        r"^(tax|taxe|tva|vat|iva|mwst|ust|eco ?tax|eco ?part\w*|ean type)\b|\btva\b|taxe?s?\b|tax (rules|"
        r"status|class)|discount|remise|rabatt|descuento",
        Role.IGNORED, 0.9,
    ),
    (
        r"^(item |product |google shopping )?(condition|grade|condition grade)$|^etat( du produit|"
        r" de l article| produit)?$|^zustand$|^estado( del producto)?$|^condizion[ei]$|^condicion$|^conditie$|"
        r"^staat$|^stato$|^kwaliteit$|^qualite$",
        Role.GRADE, 0.92,
    ),
    (r"\bcondition\b", Role.GRADE, 0.5),
    (
        r"^brands?\b|\bmarques?\b|^marke$|^markenname$|^marcas?$|^merk$|brand name|^(manufacturer|fabricant|"
        r"hersteller|fabricante|produttore|fabrikant|constructeur)( name)?$",
        Role.BRAND, 0.9,
    ),
    (r"^vendor$", Role.BRAND, 0.7),
    (
        r"(option|attribute|attribut|feature)\s?\d* ?value|^attribute \d+ value|^(variante?|variation|"
        r"declinaison|colou?rs?|couleurs?|coloris|farbe|colore?|cor|kleur|size|sizes|taille|tailles|pointure|"
        r"grosse|talla|taglia|tamanho|maat|contenance|format|parfum|gout)( name| values?)?$",
        Role.OPTION, 0.8,
    ),
    (r"sub ?categor|sous ?(categorie|famille|rayon)|unterkategorie|subfamilia|subrubro", Role.CATEGORY, 0.7),
    (
        r"^(product )?categor(y|ies|ie|ia|ias|ie s)?\b|^categorias?$|^categorie?s?\b|^kategorien?$|^rayons?$|"
        r"^familles?$|^univers$|^warengruppe$|^rubros?$|^familias?$|^reparto$|main category|product category|"
        r"^gamme$|seller category|^categoria\b|^secteur$",
        Role.CATEGORY, 0.9,
    ),
    (
        r"^(product type|tipo de producto|type de produit|type produit|custom product type|produktart|tipo|"
        r"type|department|departement|departamento|product class|groupe?|collection|abteilung)$",
        Role.CATEGORY, 0.6,
    ),
    (
        r"^(product|article|item|produkt|artikel|producto|produit)?\s?(title|titre|titel|titulo|titolo)$|"
        r"^(product|article|item|produkt|artikel|producto|prod)\s?(name|nom|bezeichnung|naam|nombre)$|^name$|"
        r"^nom\b|^noms?$|^designation( article| produit)?\b|^libelles?\b|^bezeichnung|artikelbezeichnung|"
        r"^item desc(ription)?$|^(product|article) desc(ription)?$|^denominazione|^intitule|"
        r"nom (de l )?(article|produit)|nom (du )?produit|^nome$|^naam$|^nombre( del)?( producto| articulo)?$",
        Role.TITLE, 0.95,
    ),
    (
        r"^(product|products|produit|produits|producto|productos|produkt|prodotto|articulo|articulos|articolo|"
        r"article|articles|artikel|produto|item|items|descripcion|descrizione|omschrijving|descricao|desc|"
        r"libelle|mercancia|goods|marchandise)$",
        Role.TITLE, 0.75,
    ),
    (r"description|beschreibung|body html|^details?$", Role.DESCRIPTION, 0.6),
    (
        r"^(variant |item |product |internal )?sku$|^(internal |interne |product |article |item )?ref(erence|"
        r"erences|erencia)?( interne| article| produit)?$|^(item|article|product|art|artikel|stock)\s?(no|nr|"
        r"num|number|numero|nummer|code|id|ref)$|^artikelnummer|^art nr|^default code$|^internal reference$|"
        r"^code (article|produit|interne|art)$|^cod(igo)?( interno| articulo| producto| art)?$|"
        r"^codice( articolo| interno)?$|^interne referentie$|^referencia( interna)?$",
        Role.SELLER_REF, 0.9,
    ),
    (r"^(code|id|item|#|no|nr|num|numero|external id|product id|lpn|code art\w*|key)$", Role.SELLER_REF, 0.5),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), role, sure) for pattern, role, sure in _RULES)

SECOND_MEANINGS: dict[str, Role] = {"item": Role.CATEGORY, "description": Role.TITLE, "collection": Role.TITLE}
"""What a header may also mean when another column is the surer bearer of its first meaning."""

TOTAL_WORDS = re.compile(
    r"^(sub ?|sous ?)?(total|totaux|totals|totale|totali|totaal|somme|summe|gesamt|gesamtsumme|suma|grand total"
    r"|total general|total ht|zwischensumme|subtotaal)\b"
)
YES = {"1", "true", "yes", "y", "oui", "o", "ja", "si", "sim", "vrai", "wahr", "verdadero", "in stock", "instock",
       "en stock", "available", "disponible", "vorratig", "x"}  # fmt: skip
NO = {"0", "false", "no", "n", "non", "nein", "nee", "nao", "faux", "falsch", "falso", "out of stock", "outofstock",
      "rupture", "epuise", "indisponible", "agotado", "ausverkauft", "sold out", "unavailable"}  # fmt: skip
PARENT_KINDS = {"variable", "configurable", "grouped", "bundle", "parent", "master", "modele", "variable product"}
NOT_GOODS = {"virtual", "downloadable", "external", "service", "dienstleistung", "servicio", "servizio", "download",
             "gift card", "consommable virtuel"}  # fmt: skip
GOODS_KINDS = {"simple", "variation", "variant", "product", "child", "stockable", "standard", "combination"}


def meaning(header: str) -> tuple[Role, float] | None:
    """What a header means and how sure that is; ``None`` for a word the trade does not use."""
    header = plain(header.replace("#", " number ").replace("€", " eur "))
    for pattern, role, sure in _COMPILED:
        if pattern.search(header):
            return role, sure
    return None
