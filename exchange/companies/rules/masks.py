"""The name a company wears towards others until they agree (design promise 3)."""

import hmac
from functools import lru_cache
from uuid import UUID

# French nouns are all masculine, so that every adjective agrees; colours and weather say nothing about a business.
_NOUNS: tuple[tuple[str, str], ...] = (
    ("Albatross", "Albatros"), ("Badger", "Blaireau"), ("Beaver", "Castor"), ("Bison", "Bison"),
    ("Bullfinch", "Bouvreuil"), ("Chamois", "Chamois"), ("Cheetah", "Guépard"), ("Condor", "Condor"),
    ("Cormorant", "Cormoran"), ("Dolphin", "Dauphin"), ("Elk", "Élan"), ("Falcon", "Faucon"),
    ("Flamingo", "Flamant"), ("Fox", "Renard"), ("Goldfinch", "Chardonneret"), ("Gull", "Goéland"),
    ("Hare", "Lièvre"), ("Hedgehog", "Hérisson"), ("Heron", "Héron"), ("Hummingbird", "Colibri"),
    ("Ibex", "Bouquetin"), ("Ibis", "Ibis"), ("Jay", "Geai"), ("Blackbird", "Merle"),
    ("Kingfisher", "Martin-pêcheur"), ("Kite", "Milan"), ("Koala", "Koala"), ("Leopard", "Léopard"),
    ("Lynx", "Lynx"), ("Mouflon", "Mouflon"), ("Narwhal", "Narval"), ("Nightingale", "Rossignol"),
    ("Okapi", "Okapi"), ("Panda", "Panda"), ("Pelican", "Pélican"), ("Plover", "Pluvier"),
    ("Puffin", "Macareux"), ("Reindeer", "Renne"), ("Robin", "Rouge-gorge"), ("Seal", "Phoque"),
    ("Sparrowhawk", "Épervier"), ("Squirrel", "Écureuil"), ("Starling", "Étourneau"), ("Swan", "Cygne"),
    ("Swift", "Martinet"), ("Toucan", "Toucan"), ("Wren", "Roitelet"), ("Zebra", "Zèbre"),
)  # fmt: skip
_ADJECTIVES: tuple[tuple[str, str], ...] = (
    ("Amber", "ambré"), ("Ashen", "cendré"), ("Azure", "azuré"), ("Blue", "bleu"), ("Bronze", "bronzé"),
    ("Calm", "calme"), ("Cheerful", "joyeux"), ("Clear", "clair"), ("Coppery", "cuivré"), ("Crimson", "carmin"),
    ("Curious", "curieux"), ("Dappled", "tacheté"), ("Early", "matinal"), ("Frosty", "givré"), ("Gentle", "doux"),
    ("Gilded", "doré"), ("Green", "vert"), ("Grey", "gris"), ("Hardy", "robuste"), ("Indigo", "indigo"),
    ("Lively", "vif"), ("Loyal", "loyal"), ("Lunar", "lunaire"), ("Misty", "brumeux"), ("Nimble", "agile"),
    ("Nocturnal", "nocturne"), ("Northern", "nordique"), ("Ochre", "ocré"), ("Opal", "opalin"), ("Pearly", "nacré"),
    ("Plumed", "huppé"), ("Polar", "polaire"), ("Purple", "pourpre"), ("Quiet", "tranquille"), ("Radiant", "radieux"),
    ("Rosy", "rosé"), ("Royal", "royal"), ("Ruby", "rubis"), ("Silvery", "argenté"), ("Snowy", "neigeux"),
    ("Solar", "solaire"), ("Spry", "alerte"), ("Stellar", "stellaire"), ("Striped", "rayé"), ("Sunny", "ensoleillé"),
    ("Tawny", "fauve"), ("Velvet", "velouté"), ("Violet", "violet"),
)  # fmt: skip
_NUMBERS = range(100, 1000)


@lru_cache(maxsize=32_768)
def pseudonym(secret: bytes, company_id: UUID, lot_id: UUID, language: str) -> str:
    """The name ``company_id`` wears towards others on ``lot_id`` (or any other thing with an id): "Amber Heron 470".

    The same in every language, word for word, and on every machine that has ``secret``; without it nobody can tell
    that two names belong to one company. Two million names: twenty bidders on one lot meet in one lot of ten thousand.
    """
    digest = hmac.digest(secret, company_id.bytes + lot_id.bytes, "sha256")
    rest, noun = divmod(int.from_bytes(digest), len(_NOUNS))
    rest, adjective = divmod(rest, len(_ADJECTIVES))
    number = _NUMBERS[rest % len(_NUMBERS)]
    if language == "fr":
        return f"{_NOUNS[noun][1]} {_ADJECTIVES[adjective][1]} {number}"
    return f"{_ADJECTIVES[adjective][0]} {_NOUNS[noun][0]} {number}"
