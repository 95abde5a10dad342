"""The words of the sandbox's pages, English and French. It stands for an outside service, so it brings its own."""

from typing import Literal

Language = Literal["en", "fr"]

FRENCH = {
    "Payment sandbox: no real money": "Bac à sable de paiement : aucun argent réel",
    "Pay": "Payer",
    "Pay %(amount)s": "Payer %(amount)s",
    "Amount to pay": "Montant à payer",
    "E-mail": "Adresse électronique",
    "How should this payment end?": "Comment ce paiement doit-il se terminer ?",
    "You never type a card or bank number here. Choose an outcome; the sandbox acts it out.":
        "Ne saisissez ici aucun numéro de carte ni de compte. Choisissez une issue : le bac à sable la joue.",
    "Card": "Carte",
    "SEPA direct debit": "Prélèvement SEPA",
    "Bank transfer": "Virement bancaire",
    "Accepted; the money is available after two days": "Acceptée ; l’argent est disponible après deux jours",
    "Accepted; the money is available at once": "Acceptée ; l’argent est disponible immédiatement",
    "The bank asks for confirmation (3-D Secure)": "La banque demande une confirmation (3-D Secure)",
    "Declined": "Refusée",
    "Declined: not enough money": "Refusée : provision insuffisante",
    "Accepted, then disputed by the buyer": "Acceptée, puis contestée par l’acheteur",
    "Paid after five days": "Payé après cinq jours",
    "Fails after five days": "Rejeté après cinq jours",
    "Paid after five days, then disputed": "Payé après cinq jours, puis contesté",
    "The exact amount arrives": "Le montant exact arrive",
    "Too little arrives (half)": "Il arrive trop peu (la moitié)",
    "Too much arrives (a tenth more)": "Il arrive trop (un dixième de plus)",
    "The exact amount arrives after three days": "Le montant exact arrive après trois jours",
    "Leave without paying": "Quitter sans payer",
    "Your card was declined.": "Votre carte a été refusée.",
    "Your card has insufficient funds.": "La provision de votre carte est insuffisante.",
    "Choose one of the outcomes.": "Choisissez l’une des issues.",
    "This outcome is not offered for this payment.": "Cette issue n’est pas proposée pour ce paiement.",
    "This payment has already been made or is under way.": "Ce paiement a déjà été fait ou est en cours.",
    "This payment page has expired. Go back to the shop and start again.":
        "Cette page de paiement a expiré. Revenez au site et recommencez.",
    "There is nothing at this address.": "Il n’y a rien à cette adresse.",
    "Continue": "Continuer",
    "Back to the shop": "Revenir au site",
    "Your bank asks: is it you?": "Votre banque demande : est-ce bien vous ?",
    "A payment of %(amount)s waits for your confirmation.": "Un paiement de %(amount)s attend votre confirmation.",
    "Yes, confirm the payment": "Oui, confirmer le paiement",
    "No, refuse it": "Non, le refuser",
    "How to send the bank transfer": "Comment faire le virement",
    "Still to be paid": "Reste à payer",
    "Reference": "Référence",
    "This account does not exist: no bank will accept the transfer. Choose what arrives instead.":
        "Ce compte n’existe pas : aucune banque n’acceptera ce virement. Choisissez plutôt ce qui arrive.",
    "Amount that arrives, in cents": "Montant qui arrive, en centimes",
    "Let it arrive": "Le faire arriver",
    "Nothing more to be paid.": "Il ne reste rien à payer.",
    "Open a payment account": "Ouvrir un compte de paiement",
    "The payment service would ask here who you are and where your money should go.":
        "Le prestataire de paiement demanderait ici qui vous êtes et où envoyer votre argent.",
    "Company: registered name and number": "Société : dénomination et numéro",
    "Bank account (IBAN)": "Compte bancaire (IBAN)",
    "Acceptance of the terms": "Acceptation des conditions",
    "What happens?": "Que se passe-t-il ?",
    "I give everything: the account is opened": "Je donne tout : le compte est ouvert",
    "I leave something out: the account stays restricted": "J’oublie quelque chose : le compte reste limité",
    "I give everything, but a check restricts the account after three days":
        "Je donne tout, mais un contrôle limite le compte après trois jours",
    "Leave without finishing": "Quitter sans terminer",
    "Controls": "Commandes",
    "Clock": "Horloge",
    "Virtual time": "Heure virtuelle",
    "ahead of real time by": "en avance sur l’heure réelle de",
    "days": "jours",
    "hours": "heures",
    "Move the clock forward": "Avancer l’horloge",
    "Begin in the past (only before anything has happened)": "Commencer dans le passé (seulement avant tout événement)",
    "Something has happened here already: this clock only goes forward.":
        "Il s’est déjà passé quelque chose ici\u00a0: cette horloge ne va que vers l’avant.",
    "Everything that falls due on the way happens, each at its own time.":
        "Tout ce qui arrive à échéance en chemin a lieu, chaque chose à son heure.",
    "Balance": "Solde",
    "Available": "Disponible",
    "Pending": "En attente",
    "Currency": "Devise",
    "Webhooks": "Webhooks",
    "waiting": "en attente",
    "delivered": "livrés",
    "given up": "abandonnés",
    "dropped": "supprimés",
    "Disturbances": "Perturbations",
    "none": "aucune",
    "Do it": "Faire",
    "Disturb webhooks (send empty to end it)": "Perturber les webhooks (envoyer vide pour cesser)",
    "Make the next calls fail": "Faire échouer les prochains appels",
    "Let the platform's bank cover refunds that the balance does not":
        "Laisser la banque de la plateforme couvrir les remboursements que le solde ne couvre pas",
    "End all disturbances": "Mettre fin à toutes les perturbations",
    "Pay out a whole balance (an account, or the platform's own)":
        "Verser tout un solde (d’un compte, ou celui de la plateforme)",
    "The bank refuses a payout": "La banque refuse un versement",
    "Change what an account may do": "Changer ce qu’un compte peut faire",
    "Open a dispute on a charge or a part of it (or an inquiry, which takes no money)":
        "Contester un paiement ou une partie (ou seulement s’en enquérir, sans prendre l’argent)",
    "Decide a dispute": "Trancher une contestation",
    "Warn that a charge may be fraud": "Signaler une fraude possible",
    "Settle a pending refund, or let one fail": "Faire aboutir ou échouer un remboursement",
    "A buyer's bank transfer arrives (amount in minor units; 0 = what is missing)":
        "Le virement d’un acheteur arrive (montant en centimes ; 0 = ce qui manque)",
    "A SEPA debit comes to its end now": "Un prélèvement SEPA se termine maintenant",
    "Refund by hand, as from the Dashboard (amount 0 = the rest)":
        "Rembourser à la main, comme depuis le tableau de bord (montant 0 = le reste)",
    "Reverse a transfer by hand, as from the Dashboard":
        "Annuler un transfert à la main, comme depuis le tableau de bord",
    "Expire a Checkout Session now": "Faire expirer une session de paiement maintenant",
    "Done": "Fait",
    "Refused": "Refusé",
    "What is simulated": "Ce qui est simulé",
    "Simulated": "Simulé",
    "Simplified": "Simplifié",
    "Not simulated": "Pas simulé",
    "Every other address answers 404; every parameter not known here answers parameter_unknown.":
        "Toute autre adresse répond 404 ; tout paramètre inconnu ici répond parameter_unknown.",
    "in": "en quoi",
    "Endpoint": "Adresse",
    "Latest events": "Derniers événements",
    "Recent objects": "Objets récents",
}  # fmt: skip


def translate(text: str, language: Language) -> str:
    """``text`` in ``language``; English is its own key."""
    return FRENCH.get(text, text) if language == "fr" else text


def language_of(locale: str | None, accept_language: str) -> Language:
    """The page's language: asked for, else the browser's first of the two, else English."""
    if locale and locale[:2] in {"en", "fr"}:
        return "fr" if locale.startswith("fr") else "en"
    wanted: dict[str, float] = {}
    for part in accept_language.split(","):
        name, _, quality = part.strip().partition(";q=")
        weight = float(quality) if quality.replace(".", "", 1).isdigit() else 1.0
        wanted.setdefault(name[:2].lower(), weight)
    return "fr" if wanted.get("fr", 0) > wanted.get("en", 0) else "en"
