"""Writes what a run tells as one JSON object a line, in the words of our own engine."""

from __future__ import annotations

DOCUMENTATION = """
    name: record
    type: stdout
    short_description: results as JSON lines
    description: Results as JSON lines.
"""

import json

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "record"

    def record(self, **entry):
        print("RECORD " + json.dumps(entry, default=str), flush=True)

    def result(self, result, status):
        self.record(host=result.host.get_name(), task=result.task.get_name(), status=status, result=result.result)

    def v2_runner_on_ok(self, result):
        if result.task.action in ("include_tasks", "ansible.builtin.include_tasks"):
            return
        self.result(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self.result(result, "skipping")

    def v2_runner_on_unreachable(self, result):
        self.result(result, "unreachable")

    def v2_playbook_on_include(self, included_file):
        hosts = sorted(host.name for host in included_file._hosts)
        self.record(task="include " + included_file._filename.rsplit("/", 1)[-1], hosts=hosts)

    def v2_playbook_on_stats(self, stats):
        self.record(recap={host: stats.summarize(host) for host in stats.processed})
