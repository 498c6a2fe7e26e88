from __future__ import annotations

from bench.machine import cpu_model, describe


def test_cpu_model_is_read_from_its_line() -> None:
    """The first model name counts."""
    assert cpu_model("processor\t: 0\nmodel name\t: AMD EPYC 7B13\n") == "AMD EPYC 7B13"


def test_an_unnamed_cpu_is_said_to_be_so() -> None:
    """Some virtual machines name none."""
    assert cpu_model("processor\t: 0\n") == "unknown model"


def test_the_description_says_cores_memory_and_versions() -> None:
    """What a figure is nothing worth without."""
    told = dict(describe())
    assert "cores" in told["CPU"]
    assert told["memory"].endswith("GiB")
    assert "apache-flink" in told["packages"]
