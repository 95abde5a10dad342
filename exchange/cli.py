"""`exchange …`: the doors of the command line. Each loads what it needs and calls one function."""

import asyncio
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import exchange
from exchange.errors import DomainError

if TYPE_CHECKING:
    from exchange.settlement.queries.money import Reconciled


class Refusing(click.Group):
    """Prints a refusal as one sentence and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DomainError as refusal:
            raise click.ClickException(str(refusal)) from refusal


@click.group(cls=Refusing, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(exchange.__version__)
def main() -> None:
    """Confrère: the exchange where rival businesses clear surplus stock together."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("pgqueuer").setLevel(logging.WARNING)
    logging.getLogger("stripe").setLevel(logging.WARNING)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(work)


def _data_dir(given: Path | None, name: str) -> Path:
    from exchange.supervisor import default_data_dir

    return given or default_data_dir(name)


address = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535)),
    click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Web worker processes."),
    click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept."),
)


def _with_address(command: Any) -> Any:
    for option in reversed(address):
        command = option(command)
    return command


@main.command()
@_with_address
def serve(host: str, port: int, workers: int, data_dir: Path | None) -> None:
    """Run the exchange: every part that is not configured is started here."""
    from exchange.supervisor import Supervisor

    folder = _data_dir(data_dir, "serve")
    supervisor = Supervisor(data_dir=folder, host=host, port=port, workers=workers, mode="serve", say=click.echo)
    supervisor.run(ready=lambda: click.echo(f"Confrère answers at {supervisor.url}\nData: {folder}\nStop with Ctrl-C."))


@main.command()
@_with_address
def demo(host: str, port: int, workers: int, data_dir: Path | None) -> None:
    """Run a living market to try: seeded companies, lots, talks, deals and market figures."""
    from exchange.supervisor import Supervisor

    folder = _data_dir(data_dir, "demo")
    supervisor = Supervisor(data_dir=folder, host=host, port=port, workers=workers, mode="demo", say=click.echo)
    supervisor.run(filled_by="seed", ready=lambda: click.echo(_welcome(supervisor.url, folder)))


def _welcome(url: str, folder: Path) -> str:
    from exchange.seed import PASSWORD, PEOPLE

    lines = [f"  {p.role:<12} {p.language}  {p.email:<34} {PASSWORD}" for p in PEOPLE]
    return "\n".join(
        [
            "",
            f"Confrère answers at {url}",
            "",
            "  sign in as       email                              password",
            *lines,
            "",
            f"Every mail: {url}/outbox   API: {url}/api/v1/docs   Data: {folder}",
            "Stop with Ctrl-C; the next start reuses the data.",
        ]
    )


@main.command()
def migrate() -> None:
    """Bring the database (DATABASE_URL) to this version's tables; makes the database if it is missing."""
    from exchange.database import migrate as bring_up

    asyncio.run(bring_up())


@main.command()
def worker() -> None:
    """Run jobs until stopped."""
    from exchange.database import close_pool, open_pool
    from exchange.jobs import hasten, load_handlers, run_worker
    from exchange.settlement import stripe_gateway
    from exchange.virtual_time import followed

    load_handlers()

    async def work() -> None:
        await open_pool()
        try:
            async with followed(hasten):
                await run_worker()
        finally:
            await stripe_gateway.close()
            await close_pool()

    _run(_until_told(work()))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8000, show_default=True)
@click.option("--workers", type=int, default=2, show_default=True, help="Processes that answer.")
@click.option("--when-told", is_flag=True, help="Load everything, but answer only once standard input has ended.")
def web(host: str, port: int, workers: int, when_told: bool) -> None:
    """Answer the web until stopped."""
    import gc

    from granian import Granian
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels

    from exchange.app import prepared

    prepared()  # before the processes fork: they share it, and begin at once
    if when_told:
        sys.stdin.read()
    gc.freeze()
    Granian(
        "exchange.app:served", address=host, port=port, workers=workers, interface=Interfaces.ASGI, factory=True,
        loop=Loops.uvloop, websockets=False, respawn_failed_workers=True, workers_kill_timeout=5,
        log_level=LogLevels.warning,
    ).serve()  # fmt: skip


@main.command()
def sandbox() -> None:
    """Run the Stripe sandbox alone, set up by EXCHANGE_SANDBOX_… variables."""
    from exchange.sandbox.app import serve as serve_sandbox

    _run(_until_told(serve_sandbox()))


beside = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="The running exchange to work beside. Default: DATABASE_URL, else the demo, else serve.",
)


def _attach(data_dir: Path | None) -> None:
    from exchange.supervisor import attach

    attach(data_dir)


@main.command()
@beside
@click.option("--lots", type=click.IntRange(min=1), help="Only companies and this many open lots, for load tests.")
@click.option("--number", default=1, show_default=True, help="Another number makes another market.")
def seed(lots: int | None, number: int, data_dir: Path | None) -> None:
    """Lay out a play market in an empty database, whose tables it makes; what an earlier call did is not done again."""
    _attach(data_dir)
    from exchange.seed.marks import is_laid_out

    if _run(is_laid_out(lots=lots, number=number)):
        click.echo("The market is laid out already; it is reused.")
        return
    from exchange.seed.demo import plant

    _run(plant(lots=lots, number=number))


@main.command()
@beside
@click.argument("email")
@click.option("--label", default="command line", show_default=True, help="What the account page calls it.")
def token(email: str, label: str, data_dir: Path | None) -> None:
    """Print a new API token of the person with this address; it is shown once."""
    _attach(data_dir)
    from exchange.accounts.actions.tokens import issue_token_for

    click.echo(_run(issue_token_for(email, label=label)))


@main.command()
@beside
@click.argument("email")
@click.option("--name", required=True)
@click.option("--language", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@click.option("--zone", default="Europe/Paris", show_default=True)
@click.password_option(help="Asked for when not given; at least 12 characters.")
def operator(email: str, name: str, language: str, zone: str, password: str, data_dir: Path | None) -> None:
    """Add an operator: the person who vets companies, decides claims and freezes releases."""
    _attach(data_dir)
    from exchange.accounts.actions.passwords import hash_password
    from exchange.accounts.actions.people import add_person
    from exchange.accounts.rules import ensure_password

    async def add() -> None:
        ensure_password(password, email, name)
        await add_person(
            email=email,
            name=name,
            password_hash=await hash_password(password),
            language=language,
            zone=zone,
            confirmed=True,
            operator=True,
        )

    _run(add())
    click.echo(f"{email} may sign in and operates the exchange.")


@main.group()
def insight() -> None:
    """Market figures."""


@insight.command()
@beside
@click.option("--period", help="A closed quarter, such as 2026Q1. Default: the oldest that waits for its release.")
def release(period: str | None, data_dir: Path | None) -> None:
    """Compute a quarter's figures, attack them, and freeze what may be published."""
    _attach(data_dir)
    from exchange.insight.actions.release import release as freeze

    done = _run(freeze(period=period, signed_by="command line", progress=click.echo))
    click.echo(f"{done.period}: {done.published} of {done.cells} figures published, from {done.rows} facts.")


@main.command()
@beside
def reconcile(data_dir: Path | None) -> None:
    """Ask Stripe about everything open, then compare every movement with our books; exits with 1 on a difference."""
    _attach(data_dir)
    from exchange.settlement.actions.reconcile import reconcile as compare
    from exchange.virtual_time import followed

    async def look() -> "Reconciled":
        async with followed():
            return await compare()

    result = _run(look())
    for difference in result.differences:
        ours, theirs = difference.ours_minor, difference.theirs_minor
        click.secho(f"{difference.source} {difference.currency}: Stripe {theirs}, our books {ours}", fg="red")
    click.echo(f"{result.movements} movements compared, {len(result.differences)} differences.")
    if not result.agreed:
        sys.exit(1)


@main.command()
@beside
@click.argument("year", type=click.IntRange(2023, 2100))
def dac7(year: int, data_dir: Path | None) -> None:
    """Print YEAR's report of the sellers to the tax authorities (art. 1649 ter A to E CGI) as CSV."""
    _attach(data_dir)
    from exchange.settlement.queries.dac7 import dac7 as report

    click.echo(_run(report(year)), nl=False)


@main.command()
@beside
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def rates(file: Path, data_dir: Path | None) -> None:
    """Load the European Central Bank's reference rates from FILE (eurofxref-daily.xml or -hist.xml)."""
    _attach(data_dir)
    from exchange.settlement.actions.rates import load_rates

    click.echo(f"{_run(load_rates(file.read_bytes()))} new rates.")


@main.command()
@beside
def doctor(data_dir: Path | None) -> None:
    """Look at every part; say what is wrong and how to mend it."""
    _attach(data_dir)
    from exchange.doctor import examine

    async def look() -> int:
        ill = 0
        async for finding in examine():
            ill += not finding.ok
            click.secho(
                f"{'ok ' if finding.ok else 'BAD'} {finding.part:<11} {finding.told}", fg=None if finding.ok else "red"
            )
            if not finding.ok:
                click.echo(f"    {'':<11} → {finding.mend}")
        return ill

    if _run(look()):
        sys.exit(1)


@main.command()
@beside
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path, data_dir: Path | None) -> None:
    """Write everything to FILE, consistent while the exchange runs."""
    _attach(data_dir)
    from exchange.backup import backup as write
    from exchange.settings import settings

    click.echo(f"{write(settings().database_url, file) / 2**20:.1f} MB written to {file}")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--database-url", envvar="DATABASE_URL", required=True, help="An empty database.")
def restore(file: Path, database_url: str) -> None:
    """Fill an empty database from a backup, all or nothing."""
    from exchange.backup import restore as fill

    fill(database_url, file)
    click.echo("Restored.")


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it ends or SIGTERM or SIGINT cancels it."""
    import signal

    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    main()
