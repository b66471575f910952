"""`otel-mas serve`: an OTLP backend with an API and a page, in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from otel_mas.cli.options import checked_address, debug, not_empty
from otel_mas.cli.output import note, print_line

if TYPE_CHECKING:
    from otel_mas.server.serve import Options, Running

_OFF = "off"


def _address(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, int] | None:
    if value == _OFF and param.name != "listen":
        return None
    return checked_address(ctx, param, value)


@click.command("serve")
@click.option("--store", metavar="PATH", callback=not_empty, help="Receive into this store. [default: $OTEL_MAS_STORE]")
@click.option(
    "--from", "source", metavar="SOURCE", callback=not_empty, help="Show this source instead; nothing is received then."
)
@click.option("--grpc", metavar="HOST:PORT", default="127.0.0.1:4317", show_default=True, callback=_address,
              help="OTLP over gRPC; `off` for none.")  # fmt: skip
@click.option("--http", metavar="HOST:PORT", default="127.0.0.1:4318", show_default=True, callback=_address,
              help="OTLP over HTTP; `off` for none.")  # fmt: skip
@click.option("--listen", metavar="HOST:PORT", default="127.0.0.1:4320", show_default=True, callback=_address,
              help="API and page.")  # fmt: skip
@click.option(
    "--token-file", metavar="PATH", help="A file with the token that clients must send. Needed beyond this machine."
)
@click.option("--tls-cert", metavar="PATH", help="Certificate of this server, in PEM form, for all three ports.")
@click.option("--tls-key", metavar="PATH", help="Its private key.")
@click.option("--tls-client-ca", metavar="PATH", help="Clients need a certificate that this authority signed.")
@click.option(
    "--allowed-host", "allowed_hosts", metavar="NAME", multiple=True, help="A name by which this server is addressed."
)
@debug
def command(store: str | None, source: str | None, **options: Any) -> None:
    """Receive traces and logs over OTLP, and show them as they come.

    Any SDK in any language sends to it: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317, or :4318 for HTTP. A request
    is acknowledged once it is on the disk. SIGTERM and Ctrl-C end it once everything that was accepted is stored.
    """
    from otel_mas.config import Settings
    from otel_mas.errors import MissingExtra

    if store is not None and source is not None:
        raise click.UsageError("--store receives, --from only shows: give one of them.")
    try:
        from otel_mas.server.serve import run
    except ImportError as error:
        raise MissingExtra(f"otel-mas serve needs {error.name}: pip install 'otel-mas[server]'") from error
    settings = Settings.from_env(store=store)
    asked = _options(source, **options)
    run(settings, asked, lambda running: _announce(running, settings.store, source, asked.tls is not None))


def _options(
    source: str | None, tls_cert: str | None, tls_key: str | None, tls_client_ca: str | None, listen: Any, **rest: Any
) -> Options:
    from otel_mas.server.http_server import Tls
    from otel_mas.server.serve import Options

    if (tls_cert is None) is not (tls_key is None) or (tls_client_ca is not None and tls_cert is None):
        raise click.UsageError("TLS needs both --tls-cert and --tls-key; --tls-client-ca needs them too.")
    tls = None if tls_cert is None or tls_key is None else Tls(tls_cert, tls_key, tls_client_ca)
    return Options(source=source, tls=tls, api=listen, **rest)


def _announce(running: Running, store: str, source: str | None, tls: bool) -> None:
    from otel_mas.doctor.server import shown

    for name, address in (("OTLP gRPC", running.grpc), ("OTLP HTTP", running.http), ("page and API", running.api)):
        if address is not None:
            print_line(f"{name:<13} {shown(address)}")
    what = f"shows {source}" if source else f"receives into {store}"
    note(f"{what}; Ctrl-C ends it")
    note(f"open {'https' if tls else 'http'}://{shown(running.api)}")
