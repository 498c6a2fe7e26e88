"""`echopulse ingest sim|websocket|sse`: events from the simulator and from live sources."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from echopulse.cli.context import NO_OPTIONS, GlobalOptions

_QUIET = Parameter(show_default=False, negative=())


def sim(  # noqa: PLR0913 each is an option of its own
    *,
    scenario: Path | None = None,
    seed: int | None = None,
    rate: float | None = None,
    events: int | None = None,
    duration: float | None = None,
    output: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    start: str | None = None,
    settle: float = 15.0,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Simulate communities by a written scenario.

    Streams to Kafka in real time, until Ctrl-C or a limit; with --output
    it writes a file for `ingest replay` instead, as fast as it can.

    Parameters
    ----------
    scenario
        A scenario in YAML; without it, ten communities over ten minutes.
    seed
        The same seed, the same events; by default 0 for a file, new for Kafka.
    rate
        Events a second, averaged over a cycle of the scenario.
    events
        End after so many events.
    duration
        End after so many seconds of event time.
    output
        A .jsonl or .parquet file, - for standard output; one cycle by default.
    start
        Time of the first moment of a file, ISO 8601; without it, now.
    settle
        After the end, seconds of heartbeats that let the windows close.
    """
    from echopulse.cli.ingest_sim import simulate_live, simulate_to_file
    from echopulse.gateway.scenario import load_scenario
    from echopulse.gateway.simulator import Run
    from schemas.errors import UsageError

    run = Run(load_scenario(scenario), seed, rate, duration, events)
    if output is not None:
        simulate_to_file(run, output, start, options)
        return
    if start is not None:
        raise UsageError("--start is for a file: events on Kafka bear the time at which they are sent", "add --output")
    simulate_live(run, settle, options)


def websocket(  # noqa: PLR0913 each is an option of its own
    url: str,
    /,
    *,
    mapping: str,
    frames: int | None = None,
    header: Annotated[list[str] | None, _QUIET] = None,
    subscribe: Annotated[list[str] | None, _QUIET] = None,
    attempts: int = 10,
    connect_timeout: float = 10.0,
    read_timeout: float = 60.0,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Take events from a websocket, until Ctrl-C.

    A lost connection is made again; frames that do not fit the mapping
    become dead letters on social.dlq.

    Parameters
    ----------
    url
        Like wss://host/path.
    mapping
        A YAML file, or a packaged one: bluesky, mastodon, wikimedia.
    frames
        End after so many frames.
    header
        NAME=VALUE, again for each; NAME=env:VARIABLE for a secret.
    subscribe
        A text to send after each connect, again for each.
    attempts
        Failed connections in a row before it gives up.
    connect_timeout
        Seconds until a connect has failed.
    read_timeout
        Seconds without a sign of life until a connection is lost.
    """
    from echopulse.cli.ingest_source import config_of, parse_headers, run_source
    from echopulse.gateway.connectors.websocket import WebSocketConnector
    from echopulse.gateway.single_source import single_source

    config = config_of(WebSocketConnector.name, attempts, connect_timeout, read_timeout)
    headers = parse_headers(header or [])
    document = {"url": url, "mapping": mapping, "headers": headers, "subscribe": subscribe or []}
    run_source(single_source(WebSocketConnector, document, config), frames, options)


def sse(  # noqa: PLR0913 each is an option of its own
    url: str,
    /,
    *,
    mapping: str,
    frames: int | None = None,
    header: Annotated[list[str] | None, _QUIET] = None,
    last_id: Annotated[str, _QUIET] = "",
    attempts: int = 10,
    connect_timeout: float = 10.0,
    read_timeout: float = 60.0,
    options: GlobalOptions = NO_OPTIONS,
) -> None:
    """Take events from a stream of server-sent events, until Ctrl-C.

    A lost connection is made again behind the last event received; events
    that do not fit the mapping become dead letters on social.dlq.

    Parameters
    ----------
    url
        Like https://host/path.
    mapping
        A YAML file, or a packaged one: bluesky, mastodon, wikimedia.
    frames
        End after so many events of the stream.
    header
        NAME=VALUE, again for each; NAME=env:VARIABLE for a secret.
    last_id
        Resume behind this event, as the last run reported it.
    attempts
        Failed connections in a row before it gives up.
    connect_timeout
        Seconds until a connect has failed.
    read_timeout
        Seconds without a byte until a connection is lost.
    """
    from echopulse.cli.ingest_source import config_of, parse_headers, run_source
    from echopulse.gateway.connectors.sse import SseConnector
    from echopulse.gateway.single_source import single_source

    config = config_of(SseConnector.name, attempts, connect_timeout, read_timeout)
    document = {"url": url, "mapping": mapping, "headers": parse_headers(header or [])}
    run_source(single_source(SseConnector, document, config), frames, options, place=last_id)
