"""The compiler: golden SQL, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from features.machinery.compiler import compile_view, compile_views
from features.machinery.view_spec import AggregationSpec, Column, ViewSpec
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60_000
COUNT = AggregationSpec("message_count", "count", "event_id", 5 * MINUTE, MINUTE)
VIEW = ViewSpec("talk_5m", (Column("channel_id", "string"),), (Column("message_count", "int64"),), (COUNT,), ttl_s=60)


def with_aggregation(**changes: object) -> ViewSpec:
    """The view with its one aggregation changed."""
    return replace(VIEW, aggregations=(replace(COUNT, **changes),))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["channel_1m", "channel_5m", "channel_1h", "user_1m", "user_5m", "user_1h"])
def test_every_declared_view_compiles_to_its_golden_sql(name: str, declared: dict[str, ViewSpec], golden: Path) -> None:
    """The SQL of each declared view, and that of the panes it reads, are those in their files."""
    compiled = {view.name: view for view in compile_views(declared.values())}[name]
    assert compiled.sql + "\n" == (golden / f"{name}.sql").read_text(encoding="utf-8")
    for panes in compiled.panes:
        assert panes.sql + "\n" == (golden / f"{panes.name}.sql").read_text(encoding="utf-8")


def test_the_golden_files_cover_all_declared_views(declared: dict[str, ViewSpec], golden: Path) -> None:
    """No view or table of panes is without a golden file, no file without one of them."""
    panes = {panes.name for view in compile_views(declared.values()) for panes in view.panes}
    assert sorted({*declared, *panes}) == sorted(file.stem for file in golden.glob("*.sql"))


def test_columns_are_keys_features_and_the_time() -> None:
    """The compiled view says which columns its query has, and its windows."""
    compiled = compile_view(VIEW)
    assert compiled.columns == ("channel_id", "message_count", "event_timestamp")
    assert (compiled.window_ms, compiled.slide_ms, compiled.schema.ttl_s) == (5 * MINUTE, MINUTE, 60)


def test_views_share_panes_where_keys_and_rows_are_the_same() -> None:
    """The panes keep what any of the views needs, and make up all windows; another filter has its own."""
    other = replace(with_aggregation(window_ms=3 * MINUTE, slide_ms=90_000, function="max", column="toxic"), name="b")
    filtered = replace(VIEW, name="c", filter="kind == 'message'")
    first, second, third = compile_views([VIEW, other, filtered])
    assert first.panes[:1] == second.panes[:1]
    assert "INTERVAL '10' SECOND" in first.panes[0].sql
    assert "COUNT(*) AS `rows`" in first.panes[0].sql
    assert "AS `max_toxic`" in first.panes[0].sql
    assert third.panes[0].name == f"{first.panes[0].name}_2"


@pytest.mark.parametrize(
    ("slide_s", "pane"),
    [
        (3_600, "'1' HOUR"),
        (300, "'5' MINUTE"),
        (201, "'201' SECOND(3)"),
        (60, "'10' SECOND"),
        (36, "'9' SECOND"),
        (25, "'5' SECOND"),
        (11, "'11' SECOND"),
        (10, "'10' SECOND"),
        (4, "'4' SECOND"),
    ],
)
def test_at_the_end_of_a_slide_little_is_left_to_be_told(slide_s: int, pane: str) -> None:
    """Panes are parts of a slide that ends often, where there are parts of five to ten seconds."""
    view = with_aggregation(window_ms=slide_s * 5_000, slide_ms=slide_s * 1_000)
    assert f"DESCRIPTOR(`et`), INTERVAL {pane}))" in compile_view(view).panes[0].sql


def test_longer_steps_are_made_of_shorter_ones() -> None:
    """A view stands on the longest panes that make up its slide, and those on shorter ones; events are read once."""
    hour, day = 60 * MINUTE, 1_440 * MINUTE
    views = [VIEW, replace(with_aggregation(window_ms=day, slide_ms=hour), name="day")]
    short, long = compile_views(views)
    made = ["panes_channel_id", "panes_channel_id_1h", "panes_channel_id_23h_before_1h", "panes_channel_id_1h_last_1h"]
    assert [panes.name for panes in long.panes] == made
    made = ["panes_channel_id", "panes_channel_id_4m_before_1m", "panes_channel_id_last_1m"]
    assert [panes.name for panes in short.panes] == made
    assert short.panes[0] == long.panes[0]
    assert "FROM `analysed`" in long.panes[0].sql
    assert "TABLE `panes_channel_id`" in long.panes[1].sql
    assert "TABLE `panes_channel_id_1h`" in long.panes[2].sql
    assert "FROM `panes_channel_id` UNION ALL" in long.sql


def test_a_step_that_saves_little_has_no_panes_of_its_own() -> None:
    """Panes of a longer step are twelve times as long or more, and those due most often wait for none."""
    near = replace(with_aggregation(window_ms=30 * MINUTE, slide_ms=90_000), name="near")
    often = replace(with_aggregation(window_ms=20 * MINUTE, slide_ms=200_000), name="often")
    for views in ([VIEW, near], [often]):
        assert [panes.name for view in compile_views(views) for panes in view.panes if "TUMBLE" in panes.sql] == [
            "panes_channel_id" for _ in views
        ]


def test_a_window_that_is_one_pane_is_not_made_again() -> None:
    """Its row is that of the pane, unless values split it."""
    minute = with_aggregation(window_ms=MINUTE, slide_ms=MINUTE)
    assert "GROUP BY" not in compile_view(minute).sql
    assert "FROM `panes_channel_id`\n" in compile_view(minute).sql
    split = with_aggregation(window_ms=MINUTE, slide_ms=MINUTE, function="count_distinct", column="user_id")
    assert "GROUP BY" in compile_view(split).sql


def test_panes_of_a_longer_step_are_made_just_before_what_reads_them() -> None:
    """A second before what is merged early; where a view reads them itself, half as long as that waits."""
    seldom = replace(with_aggregation(window_ms=60 * MINUTE, slide_ms=5 * MINUTE), name="seldom")
    assert "INTERVAL '5' MINUTE, INTERVAL '4' SECOND))" in compile_views([VIEW, seldom])[1].panes[1].sql
    # A pane of four seconds ends with the fourth, and would count in a longer one that is made then.
    often = replace(with_aggregation(window_ms=MINUTE, slide_ms=4_000), name="often")
    assert "INTERVAL '5' MINUTE, INTERVAL '0.700' SECOND))" in compile_views([often, seldom])[1].panes[1].sql
    whole = replace(with_aggregation(window_ms=5 * MINUTE, slide_ms=5 * MINUTE), name="whole")
    twice = replace(with_aggregation(window_ms=10 * MINUTE, slide_ms=5 * MINUTE), name="twice")
    _, early, one, two = compile_views([VIEW, seldom, whole, twice])
    assert early.panes[1] == one.panes[1] == two.panes[1]
    assert "INTERVAL '5' MINUTE, INTERVAL '0.700' SECOND))" in early.panes[1].sql
    assert "INTERVAL '5' MINUTE, INTERVAL '10' MINUTE, INTERVAL '1.400' SECOND))" in two.spoken
    ended = "CAST(`pane_time` + INTERVAL '0.001' SECOND - INTERVAL '0.700' SECOND AS TIMESTAMP_LTZ(3))"
    assert one.spoken.endswith(f"{ended} AS `event_timestamp`\nFROM `panes_channel_id_5m`")
    assert "MAX(`pane_time`) - INTERVAL '0.700' SECOND AS `last_pane`" in one.panes[-1].sql


def test_what_a_window_holds_before_its_last_slide_is_merged_while_that_lasts() -> None:
    """At its end every key has one value left to tell. Not where slides are short, or windows overlap by little."""
    compiled = compile_view(VIEW)
    panes, earlier, _ = compiled.panes
    assert "TABLE `panes_channel_id`,\n    DESCRIPTOR(`pane_time`), INTERVAL '1' MINUTE, INTERVAL '4' MINUTE, " in (
        earlier.sql
    )
    assert "INTERVAL '5' SECOND))" in earlier.sql
    for table in (panes, earlier):
        assert f"`channel_id`, `rows`, `pane_time` FROM `{table.name}`" in compiled.sql
    assert "DESCRIPTOR(`pane_time`), INTERVAL '1' MINUTE))" in compiled.sql
    for window_s, slide_s in ((300, 50), (120, 60), (60, 60)):
        view = with_aggregation(window_ms=window_s * 1_000, slide_ms=slide_s * 1_000)
        assert "before" not in str(compile_view(view))


def test_views_of_one_slide_share_what_tells_their_silences() -> None:
    """The longest window decides how far it looks back, the shortest what it tells."""
    first, second = compile_views([VIEW, replace(with_aggregation(window_ms=20 * MINUTE), name="longer")])
    assert first.panes[-1] == second.panes[-1]
    assert "INTERVAL '1' MINUTE, INTERVAL '21' MINUTE, INTERVAL '5' SECOND" in first.panes[-1].sql
    assert first.panes[-1].sql.endswith(" - INTERVAL '5' MINUTE")


def test_a_view_of_longer_steps_leaves_the_end_of_its_slide_to_the_others() -> None:
    """By a 150th or 1.4 s, and its rows bear their window's end; not where panes are too short, nor by itself."""
    longer = replace(with_aggregation(window_ms=60 * MINUTE, slide_ms=5 * MINUTE), name="longer")
    due_often, patient = compile_views([VIEW, longer])
    assert "INTERVAL '5' MINUTE, INTERVAL '1.400' SECOND" in patient.sql
    assert "CAST(`window_end` - INTERVAL '1.400' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`" in patient.sql
    near = replace(with_aggregation(window_ms=20 * MINUTE, slide_ms=2 * MINUTE), name="near")
    often = replace(with_aggregation(window_ms=MINUTE, slide_ms=1_000), name="often")
    assert "INTERVAL '2' MINUTE, INTERVAL '0.800' SECOND" in compile_views([VIEW, near])[1].spoken
    two_seconds = replace(with_aggregation(window_ms=MINUTE, slide_ms=2_000), name="two_seconds")
    assert "INTERVAL '5' MINUTE, INTERVAL '1.400' SECOND" in compile_views([two_seconds, longer])[1].spoken
    for sql in (due_often.spoken, compile_view(longer).spoken, compile_views([often, longer])[1].spoken):
        assert "`window_end` -" not in sql


def test_of_views_of_one_slide_the_longest_windows_go_first() -> None:
    """Their rows are the most; the others begin a little later, half as much as where slides are longer."""
    minute = replace(with_aggregation(window_ms=MINUTE, slide_ms=MINUTE), name="minute")
    first, second = compile_views([VIEW, minute])
    assert "`window_end` AS" in first.spoken
    assert "INTERVAL '1' MINUTE, INTERVAL '0.200' SECOND" in second.spoken
    assert "CAST(`window_end` - INTERVAL '0.200' SECOND AS TIMESTAMP_LTZ(3)) AS `event_timestamp`" in second.spoken


def test_values_that_a_function_needs_split_panes() -> None:
    """An exact distinct count has panes by value, beside those of views that need none."""
    exact = replace(with_aggregation(function="count_distinct", column="user_id"), name="talkers_5m")
    split, plain = compile_views([exact, VIEW])
    assert split.panes != plain.panes
    assert "NULLIF(`user_id`, '') AS `value_user_id`" in split.panes[0].sql
    assert "COUNT(DISTINCT `value_user_id`)" in split.sql


def test_a_ranking_reads_the_values_in_front_and_no_others() -> None:
    """The most frequent first; of equally frequent ones the least."""
    ranked = replace(
        with_aggregation(function="top_k", column="user_id", parameter=3), features=(Column("message_count", "string"),)
    )
    sql = compile_view(ranked).sql
    assert "ORDER BY `weight` DESC, `value_user_id`" in sql
    assert "WHERE `place` <= 3" in sql


def test_long_intervals_are_written_in_a_form_that_flink_reads() -> None:
    """More than two digits of a unit need a precision."""
    view = with_aggregation(window_ms=101 * 1_000, slide_ms=101 * 1_000)
    assert "INTERVAL '101' SECOND(3)" in compile_view(view).panes[0].sql


def test_quotes_in_a_filter_stay_inside_their_text() -> None:
    """A text with a quote is written as SQL doubles it."""
    view = replace(VIEW, filter='kind != "it\'s; DROP"')
    assert "'it''s; DROP'" in compile_view(view).panes[0].sql


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (with_aggregation(function="cuont"), "aggregation 'message_count': no function 'cuont' (did you mean 'count'?"),
        (with_aggregation(column="evnt_id"), "no column 'evnt_id' to compute it from (did you mean 'event_id'?"),
        (with_aggregation(function="mean", column="kind"), "mean of 'kind', which is string (mean takes int64 or"),
        (with_aggregation(function="mean", column="entities"), "no column 'entities'"),
        (
            with_aggregation(function="approx_count_distinct", column="user_id"),
            "of 'user_id', which is string (approx_count_distinct takes a column of 32-bit integers: emoji_count, sen",
        ),
        (
            with_aggregation(parameter=3),
            "'message_count': count takes no number, got 3 (take it out of the view's tags)",
        ),
        (
            with_aggregation(function="approx_percentile", column="toxicity"),
            "needs the share of values below it, a number from 0 to 1 (in the view's tag 'echopulse.approx_percentile'",
        ),
        (
            with_aggregation(function="approx_percentile", column="toxicity", parameter=95),
            "approx_percentile of 95; it needs the share of values below it, a number from 0 to 1",
        ),
        (
            with_aggregation(function="top_k", column="user_id", parameter=2.5),
            "top_k of 2.5; it needs how many values, an integer from 1 to 20",
        ),
        (
            replace(
                VIEW,
                aggregations=(
                    replace(COUNT, function="top_k", column="user_id", parameter=2),
                    replace(COUNT, name="n"),
                ),
            ),
            "aggregation 'n': count of 'event_id' cannot stand beside top_k of 'user_id' (give top_k a view of its",
        ),
        (with_aggregation(slide_ms=10 * MINUTE), "slide of 10 minutes is longer than its window of 5 minutes"),
        (with_aggregation(slide_ms=2 * MINUTE), "slide of 2 minutes does not divide a window of 5 minutes (100 sec"),
        (with_aggregation(window_ms=0), "window 0 ms"),
        (with_aggregation(window_ms=1_500, slide_ms=500), "windows are whole seconds"),
        (replace(VIEW, aggregations=()), "view 'talk_5m' has no aggregations"),
        (replace(VIEW, aggregations=(COUNT, COUNT)), "two aggregations share a name"),
        (
            replace(VIEW, aggregations=(COUNT, replace(COUNT, name="other", window_ms=10 * MINUTE))),
            "aggregation 'other': window 10 minutes every 1 minute, but 'message_count' has 5 minutes",
        ),
        (replace(VIEW, features=()), "has no features"),
        (replace(VIEW, join_keys=()), "has no entity"),
        (replace(VIEW, join_keys=(Column("chanel_id", "string"),)), "entity 'chanel_id': no column"),
        (replace(VIEW, join_keys=(Column("channel_id", "int64"),)), "declared int64, but the column is string"),
        (replace(VIEW, features=(Column("mesage_count", "int64"),)), "did you mean 'message_count'?"),
        (replace(VIEW, features=(Column("message_count", "string"),)), "declared string, but it is int64"),
        (replace(VIEW, features=(*VIEW.features, *VIEW.features)), "two columns are named 'message_count'"),
        (replace(VIEW, name="talk 5m"), "'talk 5m' is not a name"),
        (replace(VIEW, filter="knd == 'join'"), "filter: unknown name 'knd' (did you mean 'kind'?"),
        (replace(VIEW, filter="toxicity"), "'toxicity' is float64, expected a condition"),
        (replace(VIEW, derived={"rate": "message_count / 2"}), "'rate' is derived but is no feature of it"),
        (replace(VIEW, derived={"message_count": "message_cnt / 2"}), "feature 'message_count': unknown name"),
        (replace(VIEW, derived={"message_count": "message_count / 2"}), "declared int64, but it is float64"),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_its_name(view: ViewSpec, message: str) -> None:
    """The error names the view, the part and the near miss."""
    with pytest.raises(EchoPulseError, match="view 'talk") as error:
        compile_view(view)
    assert message in str(error.value)


def test_two_views_of_one_name_are_refused() -> None:
    """Both would write the same fields of the store."""
    with pytest.raises(EchoPulseError, match="view 'talk_5m' is declared twice"):
        compile_views([VIEW, VIEW])
