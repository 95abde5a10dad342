"""Where the demo market's companies are: invented streets in invented towns, with postcodes of the country's shape."""

from typing import NamedTuple

from exchange.seed.chance import chance


class Address(NamedTuple):
    street: str
    postcode: str
    city: str


_SHAPES = {
    "FR": ("{n} rue des Tilleuls, {n} quai des Messageries, {n} avenue du Marché", "#####",
           "Vaubrelle, Sainte-Aurive, Pontmartel, Lestranges"),
    "BE": ("{n} rue du Beffroi, Molenstraat {n}", "####", "Hautmoulin, Vlierbeke"),
    "DE": ("Lindenallee {n}, Am Speicher {n}", "#####", "Neuenhagen am Berg, Rothwinkel"),
    "IT": ("Via dei Mercanti {n}, Viale del Porto {n}", "#####", "Castelmontano, Rivasecca"),
    "ES": ("Calle del Almacén {n}, Avenida del Puerto {n}", "#####", "Villaclara del Valle, Montesaz"),
    "NL": ("Pakhuisweg {n}, Havenstraat {n}", "#### AB", "Oosterveen, Waterdam"),
    "IE": ("{n} Quay Street, {n} Mill Lane", "D## X#Y#", "Kilbracken, Dunmoyle"),
    "GB": ("{n} High Street, {n} Wharf Road", "WX# #YZ", "Thornminster, Wexhaven"),
    "PT": ("Rua do Armazém {n}, Avenida da Ria {n}", "####-###", "Vila Serena, Porto Alegrete"),
    "LU": ("{n} rue de l’Alzingue", "####", "Esch-la-Haute"),
}  # fmt: skip
_ELSEWHERE = ("{n} Market Street", "#####", "Newhaven")


def address_of(number: int, name: str, country: str) -> Address:
    """The same address for the same company of the same market."""
    drawn = chance(number, f"address {name}")
    streets, postcode, towns = _SHAPES.get(country, _ELSEWHERE)
    return Address(
        drawn.choice(streets.split(", ")).format(n=drawn.randint(1, 90)),
        "".join(str(drawn.randint(1, 9)) if sign == "#" else sign for sign in postcode),
        drawn.choice(towns.split(", ")),
    )
