"""How well the local model learns, on public data: `python -m bench.learning [--seeds 5] [accuracy stream ...]`.

Prints each figure beside its target and beside what the prototype reached; the last line is one JSON object. Runs the
product's own code. The data sets have licences of their own and are not part of the product: they are read from a
folder beside it, and a measurement whose file is missing says so.
"""

import argparse
import csv
import json
import os
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import mean, median

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy: figures of one thread

import numpy as np

from app.classify import model_file, topics
from app.classify.calibration import Audited, fit_honesty, fit_thresholds
from app.classify.features import Vectoriser
from app.classify.local_model import LocalModel
from app.classify.memory import Correction, Memory
from app.classify.training import Example, fit
from app.domain.classification import Source
from app.services.topics import KNOWN_FROM
from bench.learning_stream import Stream

DATA = Path(__file__).parents[1] / "../shared/data"


class Missing(Exception):
    """The file of a data set is not there."""


def rows(name: str) -> list[dict[str, str]]:
    path = DATA / f"{name}.csv"
    if not path.exists():
        raise Missing(f"{path.name} is not in {path.parent.name}/")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def examples(name: str, *splits: str) -> list[Example]:
    return [Example(r["text"], r["label"]) for r in rows(name) if r["split"] in splits and r["label"] != "oos"]


def right_share(model: LocalModel, tests: list[Example]) -> float:
    return 100 * mean(model.answer(test.text).category == test.category for test in tests)


def few_of_each(pool: list[Example], n: int, seed: int) -> list[Example]:
    by_category = defaultdict(list)
    for i in np.random.default_rng(seed).permutation(len(pool)):
        by_category[pool[i].category].append(pool[i])
    return [example for group in by_category.values() for example in group[:n]]


# ---- measurements: each returns (figure, value, target, prototype) rows

Row = tuple[str, float, str, str]


def accuracy(seeds: int) -> list[Row]:
    found = []
    for name, splits, target, before, before_20 in (
        ("banking77", ["train"], ">= 91", "91.5", "82.3"), ("clinc150", ["train"], "", "92.8", "87.8"),
        ("smp2017_zh31", ["train", "val"], "", "89.1", "81.4"), ("shopping10_zh", ["train"], "", "87.2", "66.3"),
    ):  # fmt: skip
        train, tests = examples(name, *splits), examples(name, "test")
        found.append((f"{name}, all, % right", right_share(fit(train), tests), target, before))
        few = [right_share(fit(few_of_each(train, 20, seed)), tests) for seed in range(seeds)]
        found.append((f"{name}, 20 of each, % right", mean(few), ">= 82" if name == "banking77" else "", before_20))
    return found


def online(seeds: int) -> list[Row]:
    """A model that never saw a fit, from corrections alone; what is rare is known from unlabelled traffic."""
    train, tests = examples("banking77", "train"), examples("banking77", "test")
    vectoriser, _ = Vectoriser.fitted_rows([], [example.text for example in train])
    reached = defaultdict(list)
    for seed in range(seeds):
        model = LocalModel(vectoriser)
        for n, i in enumerate(np.random.default_rng(seed).permutation(len(train))[:1000], start=1):
            model.learn(train[i].text, train[i].category)
            if n in (250, 1000):
                reached[n].append(right_share(model, tests))
    return [(f"banking77, {n} corrections online, % right", mean(shares), "", before)
            for (n, shares), before in zip(reached.items(), ("45.2", "73.6"), strict=True)]  # fmt: skip


def speed(seeds: int) -> list[Row]:
    train, tests = examples("banking77", "train"), examples("banking77", "test")
    fit(train[:200])  # scikit-learn is imported
    model, cpu_s = timed_cpu(lambda: fit(train, honesty=(0.2, -np.inf)))
    _, cpu_honest_s = timed_cpu(lambda: fit(train))
    stored = model_file.to_bytes(model)
    model = model_file.from_bytes(stored)
    memory = Memory(model.vectoriser, [Correction(str(i), e.text, e.category) for i, e in enumerate(train)])
    texts = [test.text for test in tests[:1500]]
    answer = [timed_us(lambda text=text: model.answer(text)) for text in texts]
    nearest = [timed_us(lambda text=text: memory.nearest(text, 10)) for text in texts]
    added = [timed_us(lambda i=i: corrected(model, memory, tests[i], i)) / 1000 for i in range(600)]
    explain = [timed_us(lambda text=text: model.explain(text, train[0].category)) for text in texts[:500]]
    return [
        ("one answer at 77 categories, p50 us", median(answer), "<= 150", "102-118"),
        ("one answer, p95 us", float(np.quantile(answer, 0.95)), "", ""),
        ("its explanation, p50 us", median(explain), "", ""),
        ("nearest of 10,000 corrections, p50 us", median(nearest), "< 1000", "850"),
        ("correction to changed answer, p50 ms", median(added), "<= 50", "1.3"),
        ("correction to changed answer, worst of 600, ms", max(added), "<= 50", ""),
        ("refit 10,000 x 77, CPU s", cpu_s, "<= 4", "2.9"),
        ("refit with honest probabilities measured, CPU s", cpu_honest_s, "", ""),
        ("stored model, MB", len(stored) / 1e6, "<= 3", "1.5-2"),
    ]


def corrected(model: LocalModel, memory: Memory, example: Example, i: int) -> None:
    model.learn(example.text, example.category)
    memory.add(Correction(f"new {i}", example.text, example.category))
    model.answer(example.text)


def timed_us(work) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1e6


def timed_cpu(work):
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def stream(seeds: int) -> list[Row]:
    """The cascade message by message: see `learning_stream`. Shares are of the last 1,000 (Chinese: 600) messages."""
    found, within = [], []
    for name, splits, last, looks, share, before in (
        ("banking77", ["train"], 1000, 1300, ">= 75", "76 @ 95.8"),
        ("smp2017_zh31", ["train", "val"], 600, 400, ">= 66", "66.5 @ 96.9"),
    ):
        messages = examples(name, *splits)
        ends = [Stream(messages, seed).run(last) for seed in range(seeds)]
        within += [end.realised for end in ends]
        for seed, end in enumerate(ends):
            print(f"  {name} seed {seed}: {end}", flush=True)
        dear = name == "banking77"
        found += [
            (f"{name} stream, decided locally, %", 100 * mean(e.local for e in ends), share, before),
            (f"{name} stream, right of those, %", 100 * mean(e.realised for e in ends), ">= 95", ""),
            (f"{name} stream, all right, %", 100 * mean(e.overall for e in ends), ">= 93" if dear else "", "93.1"),
            (f"{name} stream, manager looks", mean(e.looks for e in ends), f"<= {looks}", "1,128-1,305; 402"),
            (f"{name} stream, cost, % of LLM only", 100 * mean(e.cost for e in ends), "<= 12" if dear else "", "10"),
        ]
    found.append((f"streams at >= 94 % realised, of {len(within)}", sum(r >= 0.94 for r in within), "9 of 10", ""))
    return found


def strangers(seeds: int) -> list[Row]:
    """clinc150: messages that belong to no category. Thresholds from 667 audited messages, 15 % of them strangers."""
    model = fit(examples("clinc150", "train"))
    tests = [(r["text"], None if r["label"] == "oos" else r["label"]) for r in rows("clinc150") if r["split"] == "test"]
    strange = np.array([label is None for _, label in tests])
    raw = np.array([model.answer(text).raw for text, _ in tests])
    found = [("clinc150, out of scope, AUROC", auroc(raw[~strange], raw[strange]), ">= .955", ".953")]
    ends = [_answered_strangers(model, tests, strange, seed) for seed in range(seeds)]
    for figure, target, before, values in zip(
        ("right of those answered, %", "in scope answered, %", "out of scope answered, %"),
        (">= 94", "", "<= 10"), ("95.7", "85", "7.3"), zip(*ends, strict=True), strict=True,
    ):  # fmt: skip
        found.append((f"clinc150, target 95, {figure}", 100 * mean(values), target, before))
    return found


def _answered_strangers(model: LocalModel, tests, strange: np.ndarray, seed: int) -> tuple[float, float, float]:
    rng = np.random.default_rng(seed)
    known, unknown = rng.permutation(np.flatnonzero(~strange)), rng.permutation(np.flatnonzero(strange))
    audit = np.concatenate([known[:567], unknown[:100]])
    column = {category: i for i, category in enumerate(model.categories)}
    scores = np.array([model.answer(tests[i][0]).scores for i in audit])
    model.temperature, model.stranger = fit_honesty(scores, np.array([column.get(tests[i][1], -1) for i in audit]))
    answers = [model.answer(text) for text, _ in tests]
    right = np.array([answer.category == label for answer, (_, label) in zip(answers, tests, strict=True)])
    audited = [
        Audited(answers[i].category, answers[i].probability, answers[i].raw, bool(right[i]), 1.0, bool(strange[i]))
        for i in audit
    ]
    thresholds = fit_thresholds(audited, 0.95)
    passed = np.array([not thresholds.refuses(answer) for answer in answers])
    passed[audit], later = False, np.setdiff1d(np.arange(len(tests)), audit)
    return right[passed].mean(), passed[later][~strange[later]].mean(), passed[later][strange[later]].mean()


def auroc(higher: np.ndarray, lower: np.ndarray) -> float:
    """How often a member of the first beats one of the second."""
    below = np.searchsorted(np.sort(lower), higher, "left") + np.searchsorted(np.sort(lower), higher, "right")
    return float(below.mean() / 2 / len(lower))


def one_confusion(seeds: int) -> list[Row]:
    """The LLM systematically takes one category for its neighbour; a manager corrects 30 such messages."""
    pool, tests = examples("banking77", "train"), examples("banking77", "test")
    gained, gained_refit, lost, lost_refit, worst_refit = [], [], [], [], []
    for seed in range(seeds):
        start, corrections, confused = _confusion(pool, seed)
        model = fit(start)
        before = by_category(model, tests)
        for example in corrections:
            model.learn(example.text, example.category)
        after, refit = by_category(model, tests), by_category(fit(start + corrections), tests)
        gained.append(after[confused] - before[confused])
        gained_refit.append(refit[confused] - before[confused])
        others = [category for category in before if category != confused]
        lost.append(mean(after[c] - before[c] for c in others))
        lost_refit.append(mean(refit[c] - before[c] for c in others))
        worst_refit.append(min(refit[c] - before[c] for c in others))
        worst = [sorted((now[c] - before[c], c) for c in others)[:3] for now in (after, refit)]
        print(
            f"  seed {seed}: {confused} {before[confused]:.0f} -> {after[confused]:.0f} % at once, "
            f"{refit[confused]:.0f} % refitted; worst others at once {worst[0]}, refitted {worst[1]}", flush=True,
        )  # fmt: skip
    return [
        ("30 corrections, look-alikes at once, points", mean(gained), ">= 10", ""),
        ("30 corrections, look-alikes after refit, points", mean(gained_refit), ">= 10", ""),
        ("30 corrections, mean of other categories at once", mean(lost), ">= -1", ""),
        ("30 corrections, mean of other categories, refit", mean(lost_refit), ">= -1", ""),
        ("same, worst of 76 (one message is 2.5 points)", mean(worst_refit), ">= -1", ""),
    ]


def _confusion(pool: list[Example], seed: int) -> tuple[list[Example], list[Example], str]:
    """(what the model starts from: 50 of each, the LLM wrong on 3 of 4 of one category; 30 corrections; that one)."""
    rng = np.random.default_rng(seed)
    start = few_of_each(pool, 50, seed)
    confused = sorted({e.category for e in pool})[int(rng.integers(77))]
    neighbour = Stream(pool, seed).look_alikes[confused][0]
    wrong = {e.text for e in start if e.category == confused and rng.random() < 0.75}
    known = {e.text for e in start}
    start = [Example(e.text, neighbour if e.text in wrong else e.category, Source.LLM) for e in start]
    fresh = [e for e in pool if e.category == confused and e.text not in known]
    return start, fresh[:30], confused


def by_category(model: LocalModel, tests: list[Example]) -> dict[str, float]:
    right = defaultdict(list)
    for test in tests:
        right[test.category].append(100.0 * (model.answer(test.text).category == test.category))
    return {category: mean(found) for category, found in right.items()}


def new_topics(seeds: int) -> list[Row]:
    """One category left out, and 30 of its messages among 600 others; then the same streams without them."""
    found = []
    for name, splits in (("banking77", ["train"]), ("smp2017_zh31", ["train", "val"]), ("clinc150", ["train"])):
        train, tests = examples(name, *splits), examples(name, "test")
        told, right, invented = [], [], 0
        for seed in range(seeds):
            topics_found, new = _topics_among(train, tests, seed, new_messages=30)
            told.append(any(new[i] for topic in topics_found for i in topic.members))
            right += [new[i] for topic in topics_found for i in topic.members]
            invented += len(_topics_among(train, tests, seed, new_messages=0)[0])
        found += [
            (f"{name}, new topic told, % of streams", 100 * mean(told), "", ""),
            (f"{name}, messages that belong to it, %", 100 * mean(right) if right else 0.0, "", ""),
            (f"{name}, topics told where none is new", float(invented), "", ""),
        ]
    return found


def _topics_among(train: list[Example], tests: list[Example], seed: int, new_messages: int):
    """(topics, of each message looked through whether it is of the category left out)."""
    rng = np.random.default_rng(seed)
    left_out = sorted({example.category for example in train})[rng.integers(len({e.category for e in train}))]
    known = few_of_each([example for example in train if example.category != left_out], 40, seed)
    model = fit(known)
    pool = [example for example in tests if example.category != left_out]
    new = [example for example in tests + train if example.category == left_out]
    traffic = [pool[i] for i in rng.permutation(len(pool))[:600]]
    traffic += [new[i] for i in rng.permutation(len(new))[:new_messages]]
    unsure = [example for example in traffic if model.answer(example.text).probability < KNOWN_FROM]
    found = topics.find([e.text for e in unsure], [(e.text, e.category) for e in known], model.vectoriser)
    return found, [example.category == left_out for example in unsure]


MEASUREMENTS = {
    "accuracy": accuracy, "online": online, "speed": speed, "stream": stream, "strangers": strangers,
    "confusion": one_confusion, "topics": new_topics,
}  # fmt: skip


def report(names: Iterable[str] = MEASUREMENTS, seeds: int = 5) -> dict[str, float]:
    results = {}
    for name in names:
        print(f"\n{name}", flush=True)
        try:
            found = MEASUREMENTS[name](seeds)
        except Missing as missing:
            print(f"  skipped: {missing}")
            continue
        for figure, value, target, before in found:
            print(f"  {figure:<52} {value:>9.3f}   target {target:<8} prototype {before}", flush=True)
            results[figure] = round(float(value), 4)
    return results


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", default=[], help=", ".join(MEASUREMENTS))
    arguments.add_argument("--seeds", type=int, default=5)
    chosen = arguments.parse_args()
    print(json.dumps(report(chosen.names or MEASUREMENTS, chosen.seeds)))


if __name__ == "__main__":
    main()
