"""The client against a real server: slow, failing, refusing, talking nonsense, and well again."""

from __future__ import annotations

import email.utils
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.ports import free_port
from tests.transforms.remote.service import Reply, by_text, scored
from transforms.remote.client import Client, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.transforms.remote.service import Service

PATIENT = Limits(timeout_s=10.0, attempts=2, patience_s=15.0, in_flight=4, breaker_failures=100)
QUICK = PATIENT.model_copy(update={"timeout_s": 0.3, "patience_s": 1.5})


def _body(text: str) -> dict[str, Any]:
    return {"comment": {"text": text}}


def _read(document: Any) -> Any:  # noqa: ANN401 - JSON
    return document["attributeScores"]["TOXICITY"]["summaryScore"]["value"]


def _ask(url: str, *texts: str, limits: Limits = PATIENT) -> list[tuple[Any, str]]:
    with Client(url, limits) as client:
        return [(answer.value, answer.reason) for answer in client.ask([_body(text) for text in texts], _read)]


def test_answers_come_in_order(service: Service) -> None:
    """Each body has the value of its own answer."""
    texts = ["x" * (number % 11) for number in range(60)]
    assert _ask(service.url, *texts) == [(len(text) / 10, "") for text in texts]
    assert _ask(service.url) == []


def test_so_many_at_once_and_no_more(service: Service) -> None:
    """The server never sees more questions than `in_flight`, and sees that many."""
    service.reply = lambda _: Reply(body=scored(0.5).body, delay_s=0.05)
    assert _ask(service.url, *map(str, range(40))) == [(0.5, "")] * 40
    assert service.most_at_once == PATIENT.in_flight


@pytest.mark.parametrize(
    ("reply", "reason", "asked"),
    [
        (Reply(delay_s=0.8), "timeout", 2),
        (Reply(body=b"{" * 40, pause_s=0.05), "timeout", 2),
        (Reply(status=500), "http_500", 2),
        (Reply(status=503, headers={"Retry-After": "0"}), "http_503", 2),
        (Reply(status=400), "http_400", 1),
        (Reply(status=403), "http_403", 1),
        (Reply(body=b"<html>"), "unreadable", 1),
        (Reply(body=b"\xff\xfe"), "unreadable", 1),
        (Reply(body=b"[]"), "unreadable", 1),
        (Reply(body=b"[" * 100_000), "unreadable", 1),
        (Reply(body=b'{"attributeScores": {}}'), "unreadable", 1),
        (Reply(status=429, headers={"Retry-After": "60"}), "http_429", 1),
    ],
)
def test_faults_are_named_and_tried_again_where_that_may_help(
    service: Service, reply: Reply, reason: str, asked: int
) -> None:
    """Within the attempts there are; a wait that is longer than the patience is not begun."""
    service.reply = lambda _: reply
    assert _ask(service.url, "a", limits=QUICK if reason == "timeout" else PATIENT) == [(None, reason)]
    assert len(service.asked) == asked


@pytest.mark.parametrize("told", [lambda: "1", lambda: email.utils.formatdate(time.time() + 2, usegmt=True)])
def test_retry_after_is_kept(service: Service, told: Callable[[], str]) -> None:
    """In seconds or as a date, which has whole ones: the next attempt comes no sooner, and is the good one."""
    seen: list[float] = []

    def reply(document: dict[str, Any]) -> Reply:
        seen.append(time.monotonic())
        return by_text(document) if len(seen) > 1 else Reply(status=429, headers={"Retry-After": told()})

    service.reply = reply
    assert _ask(service.url, "x") == [(0.1, "")]
    assert seen[1] - seen[0] >= 0.9


def test_nobody_listens() -> None:
    """A refused connection is a reason too."""
    assert _ask(f"http://127.0.0.1:{free_port()}/", "a") == [(None, "refused")]


def test_the_breaker_spares_a_service_that_is_down(service: Service) -> None:
    """After so many failures the rest is not asked; when the service is well again, a trial closes the breaker."""
    limits = PATIENT.model_copy(update={"attempts": 1, "in_flight": 1, "breaker_failures": 3, "breaker_open_s": 0.5})
    service.reply = lambda _: Reply(status=500)
    now = 0.0
    with Client(service.url, limits) as client:
        client.breaker._clock = lambda: now
        reasons = [answer.reason for answer in client.ask([_body(str(number)) for number in range(50)], _read)]
        assert reasons == ["http_500"] * 3 + ["breaker_open"] * 47
        assert (len(service.asked), client.breaker.state) == (3, "open")
        now += 0.6
        assert client.ask([_body("a")], _read)[0].reason == "http_500"
        assert (len(service.asked), client.breaker.state) == (4, "open")
        service.reply = by_text
        now += 0.6
        answers = client.ask([_body("x")] * 5, _read)
        assert [answer.value for answer in answers] == [0.1] * 5
        assert client.breaker.state == "closed"


def test_a_fault_of_one_question_says_nothing_about_the_service(service: Service) -> None:
    """A 400 for each of many texts leaves the breaker closed."""
    service.reply = lambda _: Reply(status=400)
    with Client(service.url, PATIENT.model_copy(update={"breaker_failures": 2})) as client:
        assert {answer.reason for answer in client.ask([_body("a")] * 9, _read)} == {"http_400"}
        assert client.breaker.state == "closed"


def test_a_call_ends_in_time(service: Service) -> None:
    """What is not answered when the batch's time is over has that as its reason; the client goes on working."""
    service.reply = lambda document: Reply(body=by_text(document).body, delay_s=0.2)
    limits = PATIENT.model_copy(update={"in_flight": 2, "batch_s": 0.5})
    with Client(service.url, limits) as client:
        reasons = [answer.reason for answer in client.ask([_body(str(number)) for number in range(100)], _read)]
        assert reasons[0] == ""
        assert reasons[-1] == "batch_time"
        service.reply = by_text
        assert client.ask([_body("xx")], _read)[0].value == 0.2


def test_a_reader_that_is_broken(service: Service) -> None:
    """Its own error comes through, and the breaker's trial is free for the next."""
    limits = PATIENT.model_copy(update={"attempts": 1, "breaker_failures": 1, "breaker_open_s": 0.1})
    with Client(service.url, limits) as client:
        service.reply = lambda _: Reply(status=500)
        client.ask([_body("a")], _read)
        service.reply = by_text
        time.sleep(0.2)
        with pytest.raises(ZeroDivisionError):
            client.ask([_body("a")], lambda _: 1 // 0)
        assert client.ask([_body("x")], _read)[0].value == 0.1
