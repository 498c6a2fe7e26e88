"""Settings: defaults, file, environment, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from echopulse.settings import STRATEGIES, Settings, load
from schemas.errors import EchoPulseError
from transforms.kinds import KINDS
from transforms.selection import DEFAULT_STRATEGIES

EXAMPLE = Path(__file__).parents[2] / "echopulse.example.yaml"


@pytest.fixture(autouse=True)
def _no_settings_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "some.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults_need_no_file() -> None:
    """Without file and environment everything points at the embedded stack."""
    settings = load()
    assert settings.kafka.bootstrap == "127.0.0.1:19092"
    assert settings.flink.delivery == "exactly-once"
    assert settings.strategies == DEFAULT_STRATEGIES
    assert settings.cache == Path.home() / ".cache/echopulse"


def test_every_kind_of_analysis_can_be_set() -> None:
    """The kinds are those of the analysis, which the settings do not import."""
    assert set(STRATEGIES) == set(KINDS)
    for kind in ("stance", "a_kind_of_ones_own"):
        assert load().strategies | {kind: "mine"} == Settings(strategies={kind: "mine"}).strategies


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shadow: {toxicity: [bag]}", "shadow.toxicity names 'bag', which is the active one"),
        ("shadow: {spam: [bag]}", "shadow.spam has no active strategy beside it"),
        ("shadow: {toxicty: [mine]}", "no such kind 'toxicty', did you mean 'toxicity'?"),
        ("strategy_options: {toxicty/mine: {a: b}}", "no such kind 'toxicty', did you mean 'toxicity'?"),
        ("strategies: {A-Kind: mine}", "no such kind 'A-Kind'"),
    ],
)
def test_strategies_that_cannot_be(tmp_path: Path, text: str, told: str) -> None:
    """Misspelt kinds, and shadows of nobody, are told with the key."""
    with pytest.raises(EchoPulseError) as raised:
        load(_file(tmp_path, text))
    assert told in str(raised.value)


def test_example_shows_every_setting_with_its_default() -> None:
    """The example file holds all keys and changes nothing."""
    shown = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert set(shown) == set(Settings.model_fields)
    for section, values in shown.items():
        if isinstance(values, dict):
            default = getattr(load(), section)
            assert set(values) == set(default.__dict__ if isinstance(default, BaseModel) else default)
    assert load(EXAMPLE) == load()


def test_file_in_the_current_folder_is_read(tmp_path: Path) -> None:
    """echopulse.yaml is found without being named."""
    (tmp_path / "echopulse.yaml").write_text("flink: {parallelism: 7}\n", encoding="utf-8")
    assert load().flink.parallelism == 7


def test_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable replaces one key and leaves its neighbours."""
    file = _file(tmp_path, "kafka: {bootstrap: 'file:1', replication: 3}\n")
    monkeypatch.setenv("ECHOPULSE_KAFKA__BOOTSTRAP", "env:2")
    monkeypatch.setenv("ECHOPULSE_STRATEGY_PATHS", '["/a"]')
    settings = load(file)
    assert (settings.kafka.bootstrap, settings.kafka.replication) == ("env:2", 3)
    assert settings.strategy_paths == [Path("/a")]


def test_addresses_follow_the_stacks_ports(tmp_path: Path) -> None:
    """Moving a port moves the address, unless the address was set."""
    settings = load(_file(tmp_path, "stack: {kafka_port: 29092, valkey_port: 26379}\nkafka: {bootstrap: 'k:9092'}\n"))
    assert settings.kafka.bootstrap == "k:9092"
    assert settings.online_store.connection == "127.0.0.1:26379"


def test_named_strategies_leave_the_others(tmp_path: Path) -> None:
    """A kind that is not named keeps its default."""
    assert load(_file(tmp_path, "strategies: {sentiment: mine}\n")).strategies["toxicity"] == "bag"


def test_secrets_are_not_printed(tmp_path: Path) -> None:
    """Neither repr nor str of the settings shows a secret."""
    settings = load(_file(tmp_path, "lake: {secret_key: hush-hush}\n"))
    assert settings.lake.secret_key.get_secret_value() == "hush-hush"
    assert "hush-hush" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kafka: {bootstrp: x}", "some.yaml: unknown key 'kafka.bootstrp' (did you mean 'bootstrap'?)"),
        ("kafak: {}", "some.yaml: unknown key 'kafak' (did you mean 'kafka'?)"),
        ("flink: {parallelism: two}", "some.yaml: flink.parallelism is 'two': input should be a valid integer"),
        ("flink: {delivery: once}", "flink.delivery is 'once': input should be 'exactly-once' or 'at-least-once'"),
        ("stack: {kafka_port: 16379}", "stack: kafka_port and valkey_port are both 16379"),
        ("stack: {kafka_port: 18339}", "stack: kafka_port and s3_filer_port + 3 are both 18339"),
        ("stack: {s3_filer_port: 65533}", "stack: s3_filer_port + 3 is 65536; a port is at most 65535"),
        ("strategies: {sentimnet: x}", "strategies: no such kind 'sentimnet', did you mean 'sentiment'?"),
        ("flink: {parallelism: 0, delivery: x}", "greater than or equal to 1; and 1 more"),
    ],
)
def test_bad_setting_is_told_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    """File, key, value and the near miss stand in one line."""
    with pytest.raises(EchoPulseError) as caught:
        load(_file(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "ECHOPULSE_KAFAK__BOOTSTRAP",
            "x",
            "ECHOPULSE_KAFAK__BOOTSTRAP: unknown setting 'kafak' (did you mean 'kafka'",
        ),
        ("ECHOPULSE_KAFKA__BOOTSTRP", "x", "ECHOPULSE_KAFKA__BOOTSTRP: unknown key 'kafka.bootstrp' (did you mean"),
        ("ECHOPULSE_FLINK__PARALLELISM", "x", "variable ECHOPULSE_FLINK__PARALLELISM: flink.parallelism is 'x'"),
        ("ECHOPULSE_STRATEGY_PATHS", "a:b", 'value for field "strategy_paths"'),
    ],
)
def test_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    """What came from the environment is not blamed on the file."""
    monkeypatch.setenv(name, value)
    with pytest.raises(EchoPulseError) as caught:
        load()
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["lake: {secret_key: [hush]}", "lake: hush", "lake: {secret_kye: hush}"])
def test_a_misplaced_secret_is_not_repeated(tmp_path: Path, text: str) -> None:
    """An error about a secret, or about what may hold one, keeps the value to itself."""
    with pytest.raises(EchoPulseError) as caught:
        load(_file(tmp_path, text))
    assert "hush" not in str(caught.value)


def test_missing_file_that_was_named(tmp_path: Path) -> None:
    """A file given by --config must exist."""
    with pytest.raises(EchoPulseError, match="no such settings file"):
        load(tmp_path / "gone.yaml")
