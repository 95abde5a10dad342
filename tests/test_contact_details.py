"""What counts as a contact detail, and what merchants must be able to write."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.contact_details import ContactDetails, ensure_no_contact_details, find_contact_details

MASKED = ["Dupont Sport SARL"]

DISGUISED = """
jean@dupont.fr
Contact: jean.dupont@gmail.com merci
jean (at) dupont.fr
jean [at] dupont [dot] com
jean arobase dupont point fr
écrivez à jean AROBASE gmail
j e a n @ g m a i l . c o m
jean\u200b@dupont.fr
@dupont_sport
06 12 34 56 78
0612345678
06.12.34.56.78
+33 6 12 34 56 78
0 6 1 2 3 4 5 6 7 8
O6 12 34 56 78
(0)6-12-34-56-78
+44 (0)20 7946 0958
0033612345678
612345678
０６１２３４５６７８
zéro six douze trente-quatre cinquante-six
zero six one two three four five six
zero six twelve thirty-four fifty-six seventy-eight
0️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣
o6 l2 34 56 78
call me at the shop
my number is in the box
Appelez-moi demain
appelle moi
contactez nous directement
mon numéro est simple
je suis sur WhatsApp
voyez www.boutique-dupont.fr
dupont-sport.com
dupont point com
dupont dot com
https://x.y
Chez DUPONT-Sport on fait mieux
D.u.p.o.n.t Sport
velo59 on Google
Cherchez-nous sur Google
Find us on Instagram as the green shop
You will find us easily on Google Maps
Vous nous trouverez sur Internet
Retrouvez-nous en ligne
Look us up
Just google velo lille
Search Velo Lille on G00gle
Cherchez la boutique verte de Lille sur Google
Premier résultat Google
Notre page Facebook
Our shop on eBay
insta: velolille
Je suis sur Instagram
Message us on Messenger
DM me
""".strip().splitlines()

ORDINARY = """
We take 120 at 10.50 EUR, delivered.
Le code 4006381333931 manque-t-il ?
Nous prenons 1 200 000 pièces à 0,05 €
Enlèvement le 2026-11-30 avant 16:00
Enlèvement le 30/11/2026 entre 9:00 et 11:00
100 pcs @ 4.50
Prix de 12,50 € pour 300, 11,90 € pour 600.
Could you split the lot: 20, 40 or 60 cartons?
Un lot de deux palettes, trois semaines, quatre cartons.
Is the stock available at the warehouse. It is the last one?
Point de vue prix, 10 % de moins.
La qualité nous a séduits ; cinq ou six palettes par mois.
We could call the carrier for you
Taille 36, 38, 40, 42, 44, 46
Ref 12-3456-78
Un, deux ou trois ?
Bidons de 5l, 10l, 20l et 30l, processeurs i5 ou i7
Ten or twenty pallets, thirty at most.
Google Pixel 7, Google Pixel7 128GB and Google Nest Hub
The Instagram trend is over
Tendance TikTok, vue partout
Sac Messenger noir
Messenger bag, 20 l
Facebook Portal
Chromecast with Google TV
Le prix du XR500 sur Google est plus bas
Check the price on Google; it is 30 EUR on Amazon
Our Google Pixel stock is low
Find us 200 more and we take all
Find us on the pallet list
Trouvez-nous un meilleur prix
Suivez-nous à 12 € et c'est signé
Type C cables on Amazon are cheaper
Ring light for TikTok and YouTube
""".strip().splitlines()


@pytest.mark.parametrize("text", DISGUISED)
def test_a_contact_detail_is_found_however_it_is_disguised(text: str) -> None:
    assert find_contact_details(text, names=MASKED)


@pytest.mark.parametrize("text", ORDINARY)
def test_prices_dates_sizes_and_bar_codes_are_no_contact_details(text: str) -> None:
    assert find_contact_details(text, names=MASKED) is None


def test_the_refusal_names_what_was_found_and_the_field_to_blame() -> None:
    with pytest.raises(ContactDetails, match="06 12 34 56 78") as refused:
        ensure_no_contact_details("Tél. 06 12 34 56 78 merci", field="message")
    assert refused.value.field == "message"


def test_a_name_too_short_to_mean_anything_masks_nothing() -> None:
    assert find_contact_details("Un an de garantie", names=["An SA"]) is None


NAMES = st.builds("{}{}".format, st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=8), st.integers(0, 999))
SITES = st.sampled_from(["Google", "google maps", "Bing", "Instagram", "insta", "Facebook", "LinkedIn", "TikTok"])
WHERE_TO_LOOK = st.sampled_from(
    [
        "{name} on {site}",
        "{name} sur {site}",
        "Search {name} on {site}",
        "Type {name} into {site}.",
        "Tapez {name} dans {site} !",
        "cherchez {name} sur {site}",
        "Find us on {site} as {name}",
        "{site}: {name}",
        "Nous sommes sur {site}, {name}",
    ]
)
GOODS = st.sampled_from(
    [
        "Google {model}, black",
        "{model} was all over {site}",
        "The {model} costs less on {site}",
        "Le {model} a fait le tour de {site}",
        "Vu sur {site} : le {model}",
        "We saw your {model} on {site} for 30",
        "{site} has made the {model} known",
    ]
)
MODELS = st.sampled_from(["Pixel 7", "Pixel 8 Pro", "Nest Hub", "Chromecast", "Home Mini"])


@settings(max_examples=80, deadline=None)
@given(WHERE_TO_LOOK, NAMES, SITES)
def test_where_to_look_for_somebody_is_found_for_any_name_and_site(words: str, name: str, site: str) -> None:
    assert find_contact_details(words.format(name=name, site=site))


@settings(max_examples=80, deadline=None)
@given(GOODS, MODELS, SITES)
def test_goods_that_are_known_from_a_site_are_no_contact_detail(words: str, model: str, site: str) -> None:
    assert find_contact_details(words.format(model=model, site=site)) is None


def test_the_longest_message_is_read_in_a_blink_whatever_it_is_made_of() -> None:
    began = process_time()
    for piece in ("a.", "a", "search name ", "find us on ", "velo59 ", "my page on "):
        find_contact_details(piece * (2000 // len(piece)))
    assert process_time() - began < 1
