"""Evaluates every case of cases.yml with the real ansible-core, in one process; one JSON object a case on stdout."""

import json
import os
import sys
import tempfile

# No settings of the user or of the machine.
for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
    del os.environ[name]
EMPTY = tempfile.TemporaryDirectory()
os.environ["ANSIBLE_CONFIG"] = os.path.join(EMPTY.name, "ansible.cfg")
with open(os.environ["ANSIBLE_CONFIG"], "w"):
    pass

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.utils.display import Display

import yaml


def plain(value):
    """JSON for anything that a template can give."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def evaluate(loader, variables, case):
    templar = Templar(loader=loader, variables=variables)
    engine = templar._engine
    if isinstance(case, str):
        return engine.template(case)
    if "expression" in case:
        return engine.evaluate_expression(case["expression"])
    if "condition" in case:
        conditions = case["condition"] if isinstance(case["condition"], list) else [case["condition"]]
        return all(engine.evaluate_conditional(condition) for condition in conditions)
    if "node" in case:
        return engine.template(case["node"])
    # As the action plugin `template` does it.
    options = {key: value for key, value in case.items() if key != "file"}
    result = templar.copy_with_new_env().template(case["file"], escape_backslashes=False, overrides=options or None)
    return "" if result is None else str(result)


class Untrusted(yaml.SafeLoader):
    """Reads the same file as data: what Ansible's tags mark is for the trusted reading."""


Untrusted.add_multi_constructor("!", lambda loader, _suffix, node: None)


def main(path, directory):
    init_plugin_loader()
    Display.warning = Display.deprecated = Display.error_as_warning = lambda *_, **__: None
    loader = DataLoader()
    loader.set_basedir(directory)
    trusted = loader.load_from_file(path, trusted_as_template=True)
    with open(path, encoding="utf-8") as file:
        untrusted = yaml.load(file, Untrusted)
    for group, data in zip(trusted, untrusted):
        for case in group["cases"]:
            variables = dict(group.get("vars") or {})
            variables.update(data.get("data") or {})
            try:
                outcome = {"ok": plain(evaluate(loader, variables, case))}
            except Exception as error:
                outcome = {"error": str(error)}
            print(json.dumps(outcome))


if __name__ == "__main__":
    main(*sys.argv[1:])
