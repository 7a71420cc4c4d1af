"""What ansible-core makes of every case beside this file: one JSON object on standard output, by the case's name.

All cases run in one process, since starting Ansible costs more than reading an inventory. `list` and `graph` come from
the code of `ansible-inventory` itself.
"""

import json
import os
import sys
import tempfile

# Only what is set here counts: no settings of the user or of the machine, and nothing beside a playbook unless a case says so.
for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
    del os.environ[name]
EMPTY = tempfile.TemporaryDirectory()
os.environ["ANSIBLE_CONFIG"] = os.path.join(EMPTY.name, "ansible.cfg")
os.environ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "true"
os.environ["ANSIBLE_DEPRECATION_WARNINGS"] = "false"
with open(os.environ["ANSIBLE_CONFIG"], "w"):
    pass

from ansible import context
from ansible._internal._json._profiles import _inventory_legacy
from ansible.cli import CLI
from ansible.cli.inventory import InventoryCLI
from ansible.inventory import manager
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.context_objects import CLIArgs

UNMATCHED = "Could not match supplied host pattern, ignoring: "


def plain(value):
    return json.loads(json.dumps(value, cls=_inventory_legacy.Encoder))


def arguments(folder, case):
    sources = [source if "," in source else os.path.join(folder, source) for source in case["sources"]]
    options = [option for source in sources for option in ("-i", source)]
    if "playbook_dir" in case:
        options += ["--playbook-dir", os.path.join(folder, case["playbook_dir"])]
    return options


def start(options):
    cli = InventoryCLI(["ansible-inventory", *options])
    cli.parse()
    cli.loader, cli.inventory, cli.vm = cli._play_prereqs()
    return cli


# A process has one set of options, unless it is told otherwise.
context._init_global_context = lambda options: setattr(context, "CLIARGS", CLIArgs.from_options(options))
# A process sets up its vault secrets once only; no case has any.
CLI.setup_vault_secrets = staticmethod(lambda *_, **__: [])


def select(inventory, pattern, limit):
    warnings = []
    show, manager.display.warning = manager.display.warning, warnings.append
    inventory.clear_caches()
    try:
        inventory.subset(limit)
        hosts = [host.name for host in inventory.get_hosts(pattern)]
    except Exception:
        return {"error": True}
    finally:
        inventory.subset(None)
        manager.display.warning = show
    return {"hosts": hosts, "unmatched": [text.removeprefix(UNMATCHED) for text in warnings if text.startswith(UNMATCHED)]}


def evaluate(folder, case):
    options = arguments(folder, case)
    try:
        cli = start(["--list", *options])
    except Exception as error:
        return {"error": str(error)}
    result = {
        "list": plain(cli.json_inventory(cli._get_group("all"))),
        "variables": {
            str(host.name): plain(cli.vm.get_vars(host=host, include_hostvars=False, stage="all")) for host in cli.inventory.hosts.values()
        },
    }
    os.chdir(folder)
    result["patterns"] = [select(cli.inventory, pattern, limit) for pattern, limit in case.get("patterns", [])]
    result["graph"] = start(["--graph", *options]).inventory_graph()
    return result


def main():
    init_plugin_loader()
    results = {}
    for folder in map(os.path.normpath, sys.argv[1:]):
        os.chdir(EMPTY.name)
        with open(os.path.join(folder, "case.json")) as file:
            results[os.path.basename(folder)] = evaluate(folder, json.load(file))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
