"""This year's tree: the sectors and categories that lots are sorted into, in the four regions."""

from exchange.insight.rules.tree import MIXED, Tree
from exchange.listings.rules.categories import BY_SLUG, CATEGORIES, REGIONS, SECTORS

TREE = Tree.of(
    "2026",
    {
        sector: (name, {category.slug: category.name for category in CATEGORIES if category.sector == sector})
        for sector, name in SECTORS.items()
    },
    REGIONS,
)


def place(category: str, region: str) -> tuple[str, str, str]:
    """Sector, category and leaf, as node ids, of a lot's category and region slugs; unknown ones are mixed lots."""
    found = BY_SLUG.get(category)
    if found is None or region not in REGIONS:
        return (MIXED, MIXED, MIXED)
    path = f"{found.sector}/{found.slug}"
    return (found.sector, path, f"{path}/{region}")
