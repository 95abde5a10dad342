"""Contact details in a text: found however they are disguised, so that rivals stay masked until they agree. Pure.

Source: guide/domain.md §3 (refuse contact details in text) and §10 (a strike for those who dodge the platform). The
refusal is friendly and names what was found, because a reference or a price may look like a number by accident.

A hint where to look for the writer is one too. To name a site, a network or what sells there is not: goods are called
Google Pixel and Messenger bag, and are sought after because of Instagram.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

from stdnum import ean

from exchange.errors import N_, Invalid


class ContactDetails(Invalid):
    """The text tells who the writer is or how to reach them outside the exchange."""

    message = N_(
        "“%(found)s” looks like a contact detail. Names and addresses are exchanged when you agree, not before; "
        "please take it out and send the rest."
    )


def ensure_no_contact_details(text: str, *, names: Iterable[str] = (), field: str = "message") -> None:
    """Raises ContactDetails, which names what it found: ``names`` are the masked writer's own, never the reader's."""
    if found := find_contact_details(text, names=names):
        raise ContactDetails(found=found, field=field)


def find_contact_details(text: str, *, names: Iterable[str] = ()) -> str | None:
    """The first piece of ``text`` that looks like a mail or web address, a telephone number, a messenger or a name."""
    plain = _plain(text)
    for pattern in _PATTERNS:
        if match := pattern.search(plain):
            return match.group().strip()
    if spelled := _SPACED_LETTERS.search(plain):
        letters = re.sub(r"[\W_]", "", spelled.group())
        if any(pattern.search(letters) for pattern in _PATTERNS) or letters.endswith(("com", "fr", "net")):
            return spelled.group().strip()
    return next(_telephones(plain), None) or next(_named(plain, names), None)


# --- reading through disguises --------------------------------------------------------------------------------------

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
_ZERO = re.compile(r"(?<=\d)o|o(?=[\s.\-]?\d)")
_ONE = re.compile(r"(?<![a-z])[il](?=\d)")  # before a figure alone: "5l" are litres


def _plain(text: str) -> str:
    """Lower case without accents, invisible signs, keycaps or full-width forms: “Ｇｍａｉｌ” reads “gmail”."""
    wide = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    bare = "".join(c for c in wide if unicodedata.category(c)[0] != "M")
    return re.sub(r"\s+", " ", bare.replace("’", "'"))


# where somebody may be looked for; goods of Google are none of it
_ENGINE = (
    r"\b(?:g[o0]{2}gle(?! ?(?:pixel|nest|home|chromecast|cast|tv|play|glass|pay|fit|shopping|trends?|ads|assistant))"
    r"|bing|qwant|ecosia|duckduckgo)\b(?: (?:maps|my business|business))?"
)
_NETWORK = (
    r"\b(?:[i1l]nst[a4](?:gr[a4]m)?|f[a4]ceb[o0]{2}k|fb|linked ?in|tik ?tok|snap ?chat|twitter|youtube|pinterest|"
    r"trust ?pilot|pages jaunes|yellow pages)\b"
)
_SITE = rf"(?:{_ENGINE}|{_NETWORK})"
_NET = r"(?:the |le |l'|inter)?(?:web|net|internet)|maps|ligne"
_WEB = rf"(?:{_SITE}|\b(?:e-?bay|amazon|etsy|leboncoin|vinted|{_NET})\b)"
_ARTICLE = (
    r"(?:the|an?|this|that|these|those|its?|them|your|any|some|same|pri(?:ces?|x)|reviews?|avis|les?|la|une?|ces?|"
    r"cett?e?|du|des|de|vos|votre|sa|son|ses|for|with)\b|l'|d'|\d"
)
_NO_ARTICLE_BEFORE = "".join(
    rf"(?<!\b{word})" for word in ("the ", "this ", "your ", "of ", "le ", "la ", "les ", "l'", "ce ", "de ", "du ")
)
_OURS = r"\b(?:my|our|mon|ma|notre|nos|mes)"
_SHOP = r"(?:shop|store|page|profile?|account|compte|boutique|annonces?|fiche|listings?)"
_SEARCH = r"\b(?:search|look up|type|enter|tap(?:ez|er?)|(?:re)?cherch(?:ez|er?)|entrez)"
_LOOK = r"(?:(?:re)?cherch|(?:re)?trouv|suiv|ajout)\w*"
_HANDLE = r"(?=[\w.-]*[\d_])[a-z]{2}[\w.-]{2,}"
_HINTS = (
    rf"\b(?:find|search(?: for)?|look for|spot|see|add|follow|check|visit|message) (?:me|us)\b(?: \w+)? on "
    rf"(?:(?:the |our )?{_WEB}|(?!{_ARTICLE}|(?:mon|tues|wednes|thurs|fri)day)[a-z])",
    r"\blook (?:me|us) up\b|\b(?:google|dm|googlez|googlise[rz])(?:-| )(?:me|us|moi|nous)\b",
    rf"\b(?:{_LOOK}(?:-| )(?:moi|nous)|(?:me|nous) {_LOOK})\b(?: \w+)? (?:sur|en|dans) (?:les? |la )?{_WEB}",
    rf"\b(?:i am|i'm|we are|we're|je suis|nous sommes|on est)(?: \w+){{0,2}} (?:on|sur|dans) (?:the |les? )?{_SITE}",
    rf"{_OURS} (?:page |profile? |compte |account )?{_NETWORK}",
    rf"{_OURS} (?:\w+ )?{_SHOP}(?: \w+)? (?:(?:on|sur|chez) )?{_WEB}",
    rf"{_SEARCH}(?: for)? (?!{_ARTICLE})\S+(?: \S+){{0,3}}? (?:on|in|into|sur|dans) {_SITE}",
    rf"{_SEARCH}\b[^.!?]{{0,60}}\b(?:name|nom|{_SHOP}|magasin|enseigne|company|societe)\b[^.!?]{{0,60}} "
    rf"(?:on|in|into|sur|dans) {_SITE}",
    rf"\b(?:just|simply|please|you can|you could|you may) {_ENGINE}",
    rf"\b(?=[a-z]{{2}}){_NO_ARTICLE_BEFORE}{_HANDLE} (?:on|in|sur|dans) {_SITE}",
    rf"{_NETWORK}\s?[:=(./-]?\s?{_HANDLE}(?!\w)",
    rf"{_SITE}\s?[:=]\s?@?[a-z][\w.-]{{2,}}\s*(?:$|[.;,!?)])",
    rf"\b(?:first|top|premiers?) (?:result|hit|resultat)s?\b[^.!?]{{0,60}}{_ENGINE}",
)

_AT = r"(?:@|[\[({<]\s*(?:at|a|chez)\s*[\])}>]|arrobas?e?|arobas?e?)"
_DOT = r"\s?(?:\.|[\[({<]\s*(?:dot|point|\.)\s*[\])}>]|\bdot\b|\bpoint\b)\s?"
_ENDINGS = "com|net|org|fr|eu|io|biz|info|shop|store|pro|online|site|app|be|ch|de|es|it|lu|nl|pt|ie|uk"
_PATTERNS = [
    re.compile(p)
    for p in (
        rf"(?<![\w.+-])[\w.+-]+\s*{_AT}\s*[\w-]+{_DOT}[a-z]{{2,}}",
        r"(?<![\w.+-])[\w.+-]+@[a-z][\w.-]*|(?<!\w)@[a-z_][\w.]{2,}",
        r"\barr?obas\w*",
        rf"(?<![\w.+-])[\w.+-]+ at [\w-]+ (?:dot|point) (?:{_ENDINGS})\b",
        r"\b(?:https?|ftp|mailto|tel|wa\.me)\s?:\S*|\bwww\b\S*",
        rf"\b[a-z0-9][a-z0-9-]+\.(?:{_ENDINGS})\b(?!\.?\d)",
        rf"\b[\w-]+\s?(?:[\[({{<]\s*(?:dot|point|\.)\s*[\])}}>]|\bdot\b)\s?(?:{_ENDINGS})\b",
        r"\b[\w-]+ point (?:com|net|org|fr|eu|io)\b",
        r"\b(?:gmail|hotmail|outlook\.|yahoo|wanadoo|protonmail|icloud|gmx)\b",
        r"\b(?:whats\s?app|telegram|wechat|viber|skype)\b|\b(?:on|via|sur|par|fb|facebook) messenger\b(?! (?:bag|sac))",
        r"\b(?:call|phone|ring|text|reach|contact|e-?mail|write(?: to)?) (?:me|us)\b(?: (?:at|on|directly|back))?",
        r"\bmy (?:phone|number|e-?mail|mail|mobile|cell|website|web site|shop is|company is)\b",
        r"\b(?:appel|contact|joign|telephon|rappel|ecri(?:v|s)|sonn)\w*(?:-| )(?:moi|nous)\b",
        *_HINTS,
        r"\b(?:mon|ma|notre|nos|mes) (?:numero|tel|telephone|portable|fixe|mail|e-?mail|courriel|site)\b",
    )
]
_SPACED_LETTERS = re.compile(r"(?<!\w)(?:[a-z@][ ._\-*]{1,3}){4,}[a-z](?!\w)")

# --- telephone numbers ----------------------------------------------------------------------------------------------

_DATE = re.compile(r"\b\d{4}-\d{1,2}-\d{1,2}\b|(?<!\d)(?<!\d[/.])\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d{2})\b(?!\.?\d)")
_RUN = re.compile(r"(?<![\w])\+?\(?\d(?:[ .\-_/()*,]{0,3}\d){7,17}(?!\w)")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:[ .,']\d{3}){1,3}")
_WORDS = {
    "zero", "un", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze",
    "treize", "quatorze", "quinze", "seize", "vingt", "trente", "quarante", "cinquante", "soixante", "oh", "one",
    "two", "three", "four", "five", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty",
    "seventy", "eighty", "ninety", "double",
}  # fmt: skip
_SPELLED = re.compile(rf"(?:\b(?:{'|'.join(sorted(_WORDS))}|et|\d{{1,2}})\b[ ,.\-]*){{5,}}")


def _telephones(plain: str) -> Iterator[str]:
    for match in _SPELLED.finditer(plain):
        words = re.findall(r"[a-z]+", match.group())
        if sum(w in _WORDS for w in words) >= 4:
            yield match.group().strip(" ,.-")
    figures = _ONE.sub("1", _ZERO.sub("0", _DATE.sub(" date ", plain)))
    for match in _RUN.finditer(figures):
        run = match.group()
        if not (_is_code(run) or _THOUSANDS.fullmatch(run) or _is_series(run)) and (
            run.startswith(("+", "0", "(0", "(+")) or sum(c.isdigit() for c in run) >= 9
        ):
            yield run.strip()


def _is_code(run: str) -> bool:
    """A bar code, checked where its length could be a telephone number's."""
    return run.isdigit() and not run.startswith("00") and (len(run) >= 13 or ean.is_valid(run))


def _is_series(run: str) -> bool:
    """Sizes or quantities in rising order: 36, 38, 40, 42, 44."""
    figures = re.findall(r"\d+", run)
    rising = all(int(a) < int(b) for a, b in pairwise(figures))
    return len(figures) > 1 and rising and not figures[0].startswith("0") and "+" not in run


# --- names ----------------------------------------------------------------------------------------------------------

_LEGAL_FORMS = re.compile(
    r"\b(?:sarl|sas|sasu|sa|eurl|snc|scop|ltd|limited|llc|llp|plc|gmbh|ag|bv|srl|spa|sl|nv|ets|inc)\b"
)


def _named(plain: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        core = re.sub(r"[\W_]+", " ", _LEGAL_FORMS.sub(" ", _plain(name))).strip()
        if len(core) < 3:
            continue
        if match := re.search(r"(?<!\w)" + r"[\W_]*".join(map(re.escape, core.replace(" ", ""))) + r"(?!\w)", plain):
            yield match.group()
