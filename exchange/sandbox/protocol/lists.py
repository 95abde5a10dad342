"""Lists, newest first, with both protocols' paging."""

from typing import Any

from exchange.sandbox.errors import Refusal
from exchange.sandbox.protocol.parameters import Paged, PagedV2
from exchange.sandbox.shapes import Doc
from exchange.sandbox.store import World


async def page(world: World, kind: str, params: Paged, **fixed: str) -> Doc:
    """One page of this account's objects of ``kind``; every further field of ``params`` filters on its equal."""
    conditions, args = ["kind = $1", "account is not distinct from $2"], [kind, world.account]

    def where(condition: str, *values: Any) -> None:
        for value in values:
            args.append(value)
            condition = condition.replace("?", f"${len(args)}", 1)
        conditions.append(condition)

    paging = {"expand", "limit", "starting_after", "ending_before", "created", "types"}
    filters = {n: v for n, v in params.model_dump().items() if n not in paging and v is not None} | fixed
    for name, value in filters.items():
        where("doc->>? = ?", name, str(value))
    created = getattr(params, "created", None)
    if isinstance(created, int):
        where("created = ?", created)
    elif created is not None:
        for sign, value in ((">", created.gt), (">=", created.gte), ("<", created.lt), ("<=", created.lte)):
            if value is not None:
                where(f"created {sign} ?", value)
    if types := getattr(params, "types", None):
        where("doc->>'type' = any(?)", types)
    backwards = params.ending_before is not None
    for cursor, sign in ((params.starting_after, "<"), (params.ending_before, ">")):
        if cursor is not None:
            name = "starting_after" if sign == "<" else "ending_before"
            if not await world.sql.fetchval("select 1 from sandbox.object where id = $1 and kind = $2", cursor, kind):
                raise Refusal(f"No such {kind}: '{cursor}'", code="resource_missing", param=name)
            where(f"seq {sign} (select seq from sandbox.object where id = ?)", cursor)  # noqa: S608 - a fixed text
    rows = await world.sql.fetch(
        f"select doc from sandbox.object where {' and '.join(conditions)}"  # noqa: S608 - fixed texts, values are args
        f" order by seq {'asc' if backwards else 'desc'} limit {params.limit + 1}",
        *args,
    )
    data = [row["doc"] for row in rows[: params.limit]]
    if backwards:
        data.reverse()
    return {"object": "list", "url": world.path, "has_more": len(rows) > params.limit, "data": data}


async def page_v2(world: World, kind: str, params: PagedV2, where: str = "true", *args: Any) -> Doc:
    """One v2 page; the token of the next one is the last object's id."""
    if params.page:
        args = (*args, params.page)
        where += f" and seq < (select seq from sandbox.object where id = ${len(args) + 1})"  # noqa: S608 - a fixed text
    found = await world.select(kind, where, *args, tail=f"order by seq desc limit {params.limit + 1}")
    data = found[: params.limit]
    following = f"{world.path}?limit={params.limit}&page={data[-1]['id']}" if len(found) > params.limit else None
    return {"data": data, "next_page_url": following, "previous_page_url": None}
