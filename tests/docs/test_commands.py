"""README and docs say nothing that the code does not: commands, settings, topics, figures, links."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import itertools
import json
import re
import shlex
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename
from pydantic import BaseModel, SecretStr

from echopulse.cli.main import build
from echopulse.gateway.declaration import parse_declaration
from echopulse.gateway.gateway_config import GatewayConfig
from echopulse.gateway.mapping import Mapping
from echopulse.gateway.scenario import Scenario
from echopulse.settings import ENV_PREFIX, STRATEGIES, Settings
from echopulse.settings_sections import S3_GRPC_PORTS
from echopulse.stack.mlflow import DISK as MLFLOW_DISK
from echopulse.stack.mlflow import LOCK as MLFLOW_LOCK
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
#: What a page may call beside `echopulse`, `make` and Python.
OTHER_TOOLS = {".venv/bin/feast", ".venv/bin/pre-commit", ".venv/bin/pytest", "cat", "docker", "tail"}
OWN_PACKAGES = {"echopulse", "features", "pipelines", "schemas", "transforms"}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: `cat > FILE <<END`, and the file's text up to the line END.
_HERE_DOCUMENT = re.compile(r"^(cat > (\S+) <<'?(\w+)'?)\n(.*?)^\3$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def named(page: Path) -> str:
    """A page's name in a test's id."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for found, body in _BLOCK.findall(page.read_text(encoding="utf-8")) if found == language]


def commands(page: Path) -> Iterator[list[str]]:
    """Every command of a page's shell blocks as words, pipes taken apart, variables before it left out."""
    for block in blocks(page, "sh"):
        for line in _HERE_DOCUMENT.sub(r"\1", block).replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for word in [*lexer, "|"]:
                if word in {"|", "&&", ";"}:
                    if words:
                        yield words
                    words = []
                elif words or not re.fullmatch(r"[A-Z_]+=.*", word):
                    words.append(word)


def written_files(page: Path) -> Iterator[tuple[str, str]]:
    """Every file that a page's shell blocks write, as (name, text)."""
    for block in blocks(page, "sh"):
        yield from ((name, text) for _, name, _, text in _HERE_DOCUMENT.findall(block))


def make_targets() -> set[str]:
    """The Makefile's targets."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def check_command(words: list[str]) -> None:
    """Fail where a command could not be started as it is written."""
    tool, arguments = words[0], words[1:]
    if tool.endswith("echopulse"):
        options = arguments[:2] if arguments[:1] == ["--config"] else []
        build().parse_args([*arguments[len(options) :], *options], print_error=False, exit_on_error=False)
    elif tool == "make":
        assert {word for word in arguments if "=" not in word} <= make_targets()
    elif tool == ".venv/bin/python":
        assert (ROOT / arguments[0]).is_file()
    elif tool == "docker":
        compose = yaml.safe_load((ROOT / arguments[arguments.index("-f") + 1]).read_text(encoding="utf-8"))
        assert "cli" in compose["services"]
        check_command(["echopulse", *arguments[arguments.index("cli") + 1 :]])
    else:
        assert tool in OTHER_TOOLS


@pytest.mark.parametrize(
    "words",
    [words for page in PAGES for words in commands(page)],
    ids=[f"{named(page)}: {shlex.join(words)}" for page in PAGES for words in commands(page)],
)
def test_commands_are_understood(words: list[str]) -> None:
    """Every command line parses as the real command line parses it, without being run."""
    check_command(words)


def test_a_wrong_command_is_found() -> None:
    """The check above is not blind: a misspelt option, command, target and tool each fail it."""
    for line in ("echopulse up --replai x", "echopulse ingst", "make tset", "echopulze up"):
        with pytest.raises(Exception, match=r".+"):
            check_command(line.split())


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_in_running_text_exist(page: Path) -> None:
    """A command or target that a sentence names by `code` exists."""
    names = {command.name[0] for command in build().subapps}
    for code in _CODE.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        words = code.split()
        if words[0] == "make" and len(words) > 1:
            assert words[1] in make_targets(), code
        if words[0] == "echopulse" and len(words) > 1 and words[1].islower():
            assert words[1] in names, code


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_resolve(page: Path) -> None:
    """Every relative link leads to a file, and its anchor to a heading there."""
    for link in _LINK.findall(_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)}: {link}"
        if anchor:
            headings = _HEADING.findall(target.read_text(encoding="utf-8"))
            slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, f"{named(page)}: {link}"


def flat(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every setting with its default, as the table writes it."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from flat(field.annotation, f"{prefix}{name}.")
        else:
            value = field.get_default(call_default_factory=True, validated_data={})
            yield prefix + name, written(value)


def written(value: object) -> str:
    """A default as the table writes it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ", ".join(f"{key}: {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


def rows(page: Path, heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = page.read_text(encoding="utf-8").split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_settings_table_is_that_of_the_code() -> None:
    """docs/operations.md names every setting with its default, in the order of the code."""
    table = [(key, default) for key, default, _ in rows(ROOT / "docs" / "operations.md", "Settings")]
    assert table == list(flat(Settings))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_settings_that_are_named_exist(page: Path) -> None:
    """Keys in `code`, and ECHOPULSE_ variables anywhere, are settings."""
    known = dict(flat(Settings))
    sections = {key.partition(".")[0] for key in known if "." in key}
    text = page.read_text(encoding="utf-8")
    variables = {
        name.removeprefix(ENV_PREFIX).lower().replace("__", ".")
        for name in re.findall(r"ECHOPULSE_[A-Z0-9_]*[A-Z0-9]", text)
    }
    codes = {code.partition(":")[0] for code in _CODE.findall(_BLOCK.sub("", text))}
    keys = {code for code in codes if re.fullmatch(rf"({'|'.join(sections)})\.[a-z_]+", code)}
    assert (keys | variables) <= known.keys() | sections


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_yaml_examples_are_valid(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each YAML block or file is a mapping, a scenario, a gateway's configuration or settings that the code accepts."""
    files = [text for name, text in written_files(page) if name.endswith(".yaml")]
    for block in [*blocks(page, "yaml"), *files]:
        document: dict[str, Any] = yaml.safe_load(block)
        if "channel" in document:
            parse_declaration(block, Mapping, named(page))
        elif "channels" in document:
            parse_declaration(block, Scenario, named(page))
        elif "sources" in document:
            for secret in ("REDACT_KEY", "NATS_TOKEN"):
                monkeypatch.setenv(secret, "key")
            parse_declaration(block, GatewayConfig, named(page))
        else:
            chosen = Settings(**document)
            assert set(chosen.strategies) >= set(STRATEGIES)


def test_a_second_stack_shares_no_port_with_the_first() -> None:
    """The page's second stack names every port, and none that the first takes, SeaweedFS's unnamed ones included."""
    documents = (yaml.safe_load(block) for block in blocks(ROOT / "docs" / "operations.md", "yaml"))
    (second,) = (document for document in documents if "stack" in document)
    ports = {name for name, _ in flat(type(Settings().stack)) if name.endswith("_port")}
    assert second["stack"].keys() == ports
    taken = [getattr(Settings().stack, name) for name in ports] + list(second["stack"].values())
    for stack in (Settings().stack, Settings(**second).stack):
        taken += range(stack.s3_filer_port + 1, stack.s3_filer_port + 1 + S3_GRPC_PORTS)
    assert len(taken) == len(set(taken))
    assert Settings(**second).home != Settings().home


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_json_and_python_examples_are_valid(page: Path) -> None:
    """JSON parses, Python compiles, and what it imports of ours is there."""
    for block in blocks(page, "json"):
        json.loads(block)
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OWN_PACKAGES:
                check_import(node.module, [alias.name for alias in node.names])


def check_import(module: str, names: list[str]) -> None:
    """Fail where a module or a name in it is missing; Feast's declarations are read, for Feast is slow to import."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    if module.startswith("features."):
        assert spec.origin is not None
        source = Path(spec.origin).read_text(encoding="utf-8")
        assert all(name in source for name in names), (module, names)
        return
    imported = importlib.import_module(module)
    for name in names:
        assert hasattr(imported, name) or importlib.util.find_spec(f"{module}.{name}") is not None, (module, name)


def test_topics_table_is_that_of_the_code() -> None:
    """docs/architecture.md names every topic with its partitions and its bytes."""
    table = [
        (name, int(partitions), kept)
        for name, partitions, kept, *_ in rows(ROOT / "docs" / "architecture.md", "Topics")
    ]
    assert table == [(topic.name, topic.partitions, f"{topic.retention_bytes // 1024**3} GiB") for topic in TOPICS]


def lock() -> dict[str, dict[str, Any]]:
    """The entries of the lock, by name."""
    entries = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    return {package["name"]: package for package in entries}


def locked_packages() -> list[dict[str, Any]]:
    """The packages of the lock that the project and its groups need, the project itself included."""
    packages = lock()
    own = packages["echopulse"]
    groups = [needed for group in own["dev-dependencies"].values() for needed in group]
    wanted, needed = [*own["dependencies"], *groups], {"echopulse"}
    while wanted:
        one = wanted.pop()
        chosen = packages[one["name"]].get("optional-dependencies", {})
        extras = [other for name in one.get("extra", []) for other in chosen[name]]
        if one["name"] not in needed or extras:
            wanted += [other for other in extras if other["name"] not in needed]
            wanted += packages[one["name"]].get("dependencies", []) if one["name"] not in needed else []
            needed.add(one["name"])
    return [packages[name] for name in sorted(needed)]


@cache
def package_sizes() -> list[int]:
    """The size in bytes of what is fetched for each package without extras: the best wheel here, else the sdist."""
    rank = {tag: place for place, tag in enumerate(sys_tags())}
    sizes = []
    for package in locked_packages():
        places = []
        for wheel in package.get("wheels", []):
            tags = parse_wheel_filename(wheel["url"].rsplit("/", 1)[1])[3]
            places += [(rank[tag], wheel["size"]) for tag in tags if tag in rank]
        if places:
            sizes.append(min(places)[1])
        elif "sdist" in package:
            sizes.append(package["sdist"]["size"])
    return sizes


def test_figures_of_the_first_run_are_those_of_the_locks() -> None:
    """The README's megabytes and counts are the sums of the locks."""
    described = rows(ROOT / "README.md", "What the first run costs")
    table = {row[0]: row[1] for row in described}
    groups = tomllib.loads((ROOT / "echopulse" / "stack" / "jars.toml").read_text(encoding="utf-8")).values()
    jars = {jar["coordinate"]: jar["size"] for group in groups for jar in group["jars"]}
    assert table["jars, fetched"] == f"{sum(jars.values()) / 1e6:.0f} MB, {len(jars)} files"
    packages = package_sizes()
    assert table["Python packages, fetched"] == f"{sum(packages) / 1e6:.0f} MB, {len(packages)} packages"
    assert f"of its {len(lock())} packages" in described[0][2]
    mlflow = re.findall(r"^[\w.-]+==", MLFLOW_LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    told = next(amount for what, amount in table.items() if what.startswith("MLflow"))
    assert told == f"{len(mlflow)} packages, {MLFLOW_DISK} of disk in the cache"


def test_files_of_the_readme_are_made_by_it() -> None:
    """What its commands read is written before, ships, or is named as the reader's own in capitals."""
    page = ROOT / "README.md"
    made = {name for name, _ in written_files(page)} | {"production.yaml"}
    for words in commands(page):
        named_files = [word for word in words if re.fullmatch(r"[\w/.-]+\.(jsonl|csv|parquet|yaml)", word)]
        outputs = {after for before, after in itertools.pairwise(words) if before == "--output"}
        assert set(named_files) <= made | outputs, words
        made |= outputs


def script_of(name: str) -> Any:  # noqa: ANN401 - a module
    """Load a script of docs/images, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "images" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def test_the_learning_curve_is_that_of_its_table() -> None:
    """The picture is the one that the script draws of the page as it is, a panel a task and three curves in each."""
    script = script_of("make_learning_curve")
    found = script.curves((ROOT / "docs" / "models.md").read_text(encoding="utf-8"))
    assert list(found) == ["sentiment", "offensive", "hate", "stance"]
    assert {tuple(learners) for learners in found.values()} == {("labels alone", "with a teacher", "transformer")}
    for value, low, high in (point[1:] for learners in found.values() for each in learners.values() for point in each):
        assert low < value < high
    picture = (ROOT / "docs" / "images" / "learning_curve.svg").read_text(encoding="utf-8")
    assert places(script.draw(found)) == places(picture)


def places(picture: str) -> list[str]:
    """Return where the curves' points are, to a tenth of a point: versions of the library differ in the rest."""
    return [f"{float(x):.1f} {float(y):.1f}" for x, y in re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', picture)]


def test_the_picture_is_drawn_from_a_recorded_run() -> None:
    """docs/images holds the outcome of a run and the picture of it; the script draws every channel it shows."""
    folder = ROOT / "docs" / "images"
    recorded = json.loads((folder / "live_table.json").read_text(encoding="utf-8"))
    drawn = script_of("make_live_table").draw(recorded)
    picture = (folder / "live_table.svg").read_text(encoding="utf-8")
    for channel in recorded["channels"][:10]:
        assert channel["channel_id"] in drawn
        assert channel["channel_id"] in picture
    assert "@font-face" not in picture, "the picture would fetch a font from a third party"
