"""A quarter's figures are built, attacked, frozen; a wrong cell is withdrawn. Guide §6 and §10."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from exchange.actor import Actor
from exchange.clock import now
from exchange.database import connection, execute, fetchrow, transaction
from exchange.insight.actions import signing
from exchange.insight.queries import evidence, releases
from exchange.insight.rules import papers
from exchange.insight.rules.assembly import Draft, assemble
from exchange.insight.rules.eligibility import eligible
from exchange.insight.rules.metrics import Metric
from exchange.insight.rules.periods import Quarter, lag
from exchange.insight.rules.policy import Policy
from exchange.insight.rules.taxonomy import TREE
from exchange.insight.rules.timing import NothingToRelease, NoTrades, ensure_aged, ensure_next
from exchange.insight.rules.tree import Tree, thin
from exchange.jobs import enqueue
from exchange.journal.actions import record

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Released:
    """What was frozen."""

    id: UUID
    period: str
    rows: int
    """Facts it was computed from."""
    published: int
    cells: int


def silent(_: str) -> None:
    """No progress wanted."""


async def release(
    *,
    period: str | None = None,
    by: Actor | None = None,
    signed_by: str = "exchange",
    policy: Policy | None = None,
    tree: Tree = TREE,
    progress: Progress = silent,
) -> Released:
    """Freeze the release of ``period`` (``2026Q1``), or of the oldest quarter that waits for one.

    ``progress`` hears what is being done. Raises NotAQuarter, StillAgeing, ReleasedAlready, OlderThanTheLast, NoTrades,
    NothingToRelease.
    """
    policy = policy or Policy()
    key = await asyncio.to_thread(signing.signing_key)
    async with transaction():
        await execute("select pg_advisory_xact_lock(hashtext('insight_release'))")
        # whole quarters arrive at once in a seed, and a planner that guesses joins row by row; a small sample will do
        await execute("set local default_statistics_target = 10")
        await execute("analyze company, insight_fact, insight_offer_fact, insight_listing_fact")
        quarter = Quarter.parse(period) if period else await _waiting(policy)
        wait = await _ensure_releasable(quarter, policy)
        progress(f"{quarter}: who took part")
        groups = eligible(await evidence.activities(quarter, policy), policy)
        progress(f"{quarter}: reading {len(groups)} groups' trades")
        found = await evidence.gather(quarter, groups, policy)
        progress(f"{quarter}: what may be published")
        few = thin(tree, await evidence.active_groups(quarter, policy), policy.node_groups)
        draft = await asyncio.to_thread(assemble, tree, found, policy, few)
        rows, input_sha = await evidence.rows_and_hash(quarter)
        progress(f"{quarter}: freezing")
        id = uuid4()
        csv = papers.sheet(tree, str(quarter), id, draft.cells, policy)
        manifest = papers.canonical(
            {
                "release_id": str(id),
                "period": str(quarter),
                "policy": policy.public(),
                "tree": tree.version,
                "code_sha256": papers.rules_sha(),
                "cells_sha256": papers.sha256(csv),
                "cells": papers.published_per_level(tree, draft.cells),
                "tests": draft.tests,
                "lag_days": wait,
                "frozen_at": now().isoformat(),
                "previous_sha256": await releases.last_manifest_sha(),
                "public_key": signing.public_key(key),
            }
        )
        private = papers.canonical(
            {
                "policy": policy.whole(),
                "input_sha256": input_sha,
                "groups_sha256": await evidence.members_hash(),
                "margins": {family.value: nodes for family, nodes in draft.margins.items()},
                "hidden": {family.value: list(nodes) for family, nodes in draft.hidden.items()},
                "thin_nodes": sorted(few),
            }
        )
        await execute(
            "insert into insight_release (period, id, policy_version, tree_version, code_sha, input_sha256, rows,"
            " lag_days, manifest, manifest_sha256, signature, signed_by, frozen_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            str(quarter), id, policy.version, tree.version, papers.rules_sha(), input_sha, rows, wait,
            manifest.decode(), papers.sha256(manifest), signing.sign(manifest, key), signed_by, now(),
        )  # fmt: skip
        await execute(
            "insert into insight_private_manifest (period, body) values ($1, $2)", str(quarter), private.decode()
        )
        published = await _freeze(quarter, draft)
        await record(by, "insight.released", id, period=str(quarter), published=published)
        await enqueue("insight.released", id, once="insight.released")
    return Released(id, str(quarter), rows, published, len(draft.cells))


async def ask_for_release(*, by: Actor | None) -> None:
    """Have a job release the oldest quarter that waits: web processes cannot read what it is made of."""
    async with transaction():
        asked = uuid4()
        await record(by, "insight.release_asked", asked)
        await enqueue("insight.release_asked", asked, once="insight.release_asked")


async def withdraw(*, period: str, node_id: str, metric: str, by: Actor | None, signed_by: str = "exchange") -> None:
    """A published cell was wrong: it becomes a gap with a date, for good. Nothing ever takes its place.

    The ends of a middle range go with their figure. Raises NotSeen when no such cell is published.
    """
    async with transaction():
        cell = await releases.published_cell(period, node_id, metric)
        kind = Metric(cell.metric)
        names = [kind.value] + ([kind.low.value, kind.high.value] if kind.kind.ranged and kind.middle is kind else [])
        await execute(
            "insert into insight_release_withdrawal (period, node_id, metric, at, signed_by)"
            " select period, node_id, metric, $4, $5 from insight_release_cell"
            " where period = $1 and node_id = $2 and metric = any($3) and status = 'published' on conflict do nothing",
            period, node_id, names, now(), signed_by,
        )  # fmt: skip
        await record(by, "insight.withdrawn", cell.release_id, period=period, node=node_id, metric=metric)


async def _waiting(policy: Policy) -> Quarter:
    """The oldest quarter with trades, after the last release, that has aged."""
    for period in await releases.unreleased_periods():
        quarter = Quarter.parse(period)
        if now() >= quarter.end + lag(await evidence.p90_days_to_clear(quarter, policy), policy):
            return quarter
        break
    raise NothingToRelease


async def _ensure_releasable(quarter: Quarter, policy: Policy) -> int:
    """The lag in days that was kept."""
    ensure_next(quarter, await releases.released_periods())
    wait = lag(await evidence.p90_days_to_clear(quarter, policy), policy)
    ensure_aged(quarter, wait, now())
    if not await fetchrow("select 1 from insight_fact where period = $1 limit 1", str(quarter)):
        raise NoTrades(period=str(quarter))
    return wait.days


async def _freeze(quarter: Quarter, draft: Draft) -> int:
    async with connection() as c:
        await c.copy_records_to_table(
            "insight_release_cell",
            columns=("period", "node_id", "metric", "status", "value", "band"),
            records=[
                (str(quarter), cell.node, cell.metric.value, cell.status, cell.value, cell.band) for cell in draft.cells
            ],
        )
    return sum(cell.value is not None for cell in draft.cells)
