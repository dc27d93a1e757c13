"""`./octopus bench [NAMES]`: measure this machine. Prints a table and, as the last line, one JSON object.

accept   durable signed accepts per second, beside a bare server that only writes to PostgreSQL
idle     what the product adds to the vendors' latencies, one message at a time
flow     the main job at a fixed rate, LLM 800 ms and CRM 150 ms, and the CPU it costs
rules    the same with every message decided by a rule
crash    kill -9 of everything; seconds until a request is answered again
history  the pages' server time with a million messages
review   how soon the next message is on the screen after a key in Review
learning how well the local model learns, on public data beside the product (takes 20 minutes)
connectors  the contract suite over every connector, as the Conformance page shows it
chaos    faults and kills under load: nothing lost, nothing doubled (the long form)
"""

import json

from app.domain.errors import InvalidInput
from bench import chaos, connectors, history, learning, measure, review
from bench.system import product, world

SETTINGS = {"OCTOPUS_WORKERS": "4", "OCTOPUS_THREADS": "96"}


def main(names: list[str]) -> int:
    chosen = names or ["accept", "idle", "flow", "rules", "crash"]
    measurements = {
        "accept": measure.accept,
        "idle": measure.idle,
        "flow": measure.flow,
        "rules": lambda running, around: measure.flow(running, around, rule_share=1.0),
        "crash": measure.crash,
        "history": history.report,
        "chaos": chaos.report,
    }
    alone = {"review": review.report, "learning": learning.report, "connectors": connectors.report}
    if unknown := set(chosen) - measurements.keys() - alone.keys():
        raise InvalidInput(f"There is no measurement '{unknown.pop()}'. Known: {', '.join([*measurements, *alone])}.")
    results = {}
    for name in chosen:
        if name in alone:
            results[name] = alone[name]()
        else:
            with world() as around, product(around, **SETTINGS) as running:
                results[name] = measurements[name](running, around)
        print(f"\n{name}")
        for figure, value in results[name].items():
            print(f"  {figure:<24} {value}")
    print(json.dumps(results))
    return 0
