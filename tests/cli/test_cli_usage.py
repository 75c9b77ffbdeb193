"""Wrong usage is one line and status 2; ``list`` and ``info`` say what there is."""

from __future__ import annotations

import re
from importlib.metadata import requires

import pytest

from deepir import __version__
from deepir.catalogue import CATALOGUE

VERBS = ("detect", "eval", "score", "bench", "simulate", "list", "info")
NO_FLOATS = ("nan", "inf", "-inf", "1e999", "NaN", "many", "")
NO_COUNTS = ("0", "-1", "1.5", "1e2", "nan", "inf", "many", "")
TOO_MANY = ("9999999999", "9" * 40)


class TestHelp:
    def test_it_names_every_verb(self, deepir):
        outcome = deepir("--help")
        assert outcome.status == 0
        assert all(verb in outcome.out for verb in VERBS)
        assert deepir().out == outcome.out

    @pytest.mark.parametrize("verb", VERBS)
    def test_every_verb_has_its_own(self, deepir, verb):
        outcome = deepir(verb, "--help")
        assert (outcome.status, outcome.err) == (0, "")
        assert f"deepir {verb}" in outcome.out

    def test_version(self, deepir):
        assert deepir("--version").out.strip() == __version__


class TestListAndInfo:
    def test_list_names_every_detector(self, deepir):
        rows = deepir("list", "--json").json
        assert [row["name"] for row in rows] == sorted(CATALOGUE)
        for row in rows:
            assert {"name", "family", "weights"} < set(row)
            assert row["about"]
            if row["weights"] == "no weights":
                assert (row["family"], row["floor"]) == ("network", None)
            else:
                assert row["floor"] < row["operating_threshold"]

    def test_the_table_holds_the_same_names(self, deepir):
        outcome = deepir("list")
        assert (outcome.status, outcome.err) == (0, "")
        assert all(name in outcome.out for name in CATALOGUE)

    def test_info_is_what_a_bug_report_needs(self, deepir):
        facts = deepir("info", "--json").json
        assert facts["deepir"] == __version__
        wanted = {"numpy", "opencv-python-headless", "torch", "python", "system", "processor"}
        assert wanted | {"cores", "opencv_threads", "providers"} < set(facts)
        shown = deepir("info")
        assert shown.status == 0
        assert facts["numpy"] in shown.out

    def test_info_names_everything_that_deepir_needs(self, deepir):
        needed = [re.match(r"[\w.-]+", each)[0] for each in requires("deepir")]
        extras = {re.match(r"[\w.-]+", each)[0] for each in requires("deepir") if "extra" in each}
        assert set(needed) - extras <= set(deepir("info", "--json").json)


class TestDidYouMean:
    @pytest.mark.parametrize(
        ("arguments", "hint"),
        [
            (("detct",), "detect"),
            (("simulte",), "simulate"),
            (("detect", "--detectr", "mpcm"), "--detector"),
            (("eval", "mpcm", "--rot", "x"), "--root"),
            (("bench", "--read_ou", "peak"), "--read-out"),
            (("detect", "--detector", "mpmc"), "'mpcm'"),
            (("eval", "tophat2"), "'top_hat'"),
            (("bench", "max_men"), "'max_mean'"),
            (("eval", "mpcm", "--data", "sirst"), "'sirst-v2'"),
            (("eval", "mpcm", "--split", "tst"), "'test'"),
            (("detect", "--mode", "refrence"), '"reference"'),
            (("detect", "--read-out", "publishd"), '"published"'),
            (("bench", "--read-out", "bot"), '"both"'),
        ],
    )
    def test_a_near_name_is_offered(self, deepir, arguments, hint, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        deepir(*arguments).refused("id you mean", hint, status=2)
        assert not list(tmp_path.iterdir())

    def test_a_split_on_disk(self, deepir, sirst):
        deepir("eval", "mpcm", *sirst, "--split", "test").refused("'test_full'", status=2)

    def test_a_far_name_gets_the_known_ones(self, deepir):
        deepir("eval", "zzz").refused(
            ", ".join(sorted(CATALOGUE)),
            status=2,
        )


class TestArguments:
    @pytest.mark.parametrize(
        "arguments",
        [
            *(("eval",), ("score",), ("eval", "lcm", "mpcm"), ("list", "more"), ("info", "more")),
            *(("detect", "--out"), ("detect", "--no-such"), ("list", "--json", "file")),
            *(("eval", "mpcm", "--json"), ("bench", "--mode", "best"), ("simulate", "positional")),
        ],
    )
    def test_too_few_or_too_many_is_one_line(self, deepir, arguments):
        deepir(*arguments).refused(status=2)


class TestNumbers:
    @pytest.fixture
    def refused(self, deepir, save, out, sirst):
        """Assert that a verb refuses a flag's value and leaves nothing."""
        verbs = {
            "detect": ("detect", save("a.png"), "--out", out),
            "eval": ("eval", "mpcm", *sirst),
            "score": ("score", save("saved.npy"), *sirst),
            "simulate": ("simulate", "--out", out),
        }

        def call(verb, flag, value):
            deepir(*verbs[verb], f"{flag}={value}").refused(status=2)
            assert not out.exists()

        return call

    @pytest.mark.parametrize("value", NO_FLOATS)
    @pytest.mark.parametrize("verb", ["detect", "eval", "score"])
    def test_a_threshold_is_a_finite_number(self, refused, verb, value):
        refused(verb, "--threshold", value)

    @pytest.mark.parametrize("value", NO_COUNTS)
    @pytest.mark.parametrize("verb", ["detect", "eval"])
    def test_top_k_is_a_count(self, refused, verb, value):
        refused(verb, "--top-k", value)

    @pytest.mark.parametrize("value", [*NO_COUNTS, *TOO_MANY])
    @pytest.mark.parametrize("flag", ["--count", "--width", "--height"])
    def test_simulated_sizes_are_counts_that_fit(self, refused, flag, value):
        refused("simulate", flag, value)

    @pytest.mark.parametrize("value", ["-1", "1.5", "nan", "many", ""])
    def test_a_seed_is_a_whole_number(self, refused, value):
        refused("simulate", "--seed", value)

    @pytest.mark.parametrize(
        ("flag", "value"), [("--bits", "10"), ("--bits", "16"), ("--clutter", "fog")]
    )
    def test_closed_choices_stay_closed(self, refused, flag, value):
        refused("simulate", flag, value)
