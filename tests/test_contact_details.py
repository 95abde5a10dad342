"""What counts as a contact detail, and what merchants must be able to write."""

import pytest

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
