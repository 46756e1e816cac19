"""The policies of the tasks: what was opened under a policy goes on under it, whatever the folder holds now.

Flows in: the policies that this process runs with. Flows out: rows of `policies`, and for each task its policy.
"""

import json
from collections.abc import Iterable, Mapping

from psycopg.types.json import Jsonb
from signaalwissel.processors.followup_tasks import Task
from signaalwissel.processors.policy import Policies, Policy
from signaalwissel.processors.policy_archive import policy_from_json, policy_to_json
from signaalwissel.sinks.tables import policies as table
from sqlalchemy import Connection, Text, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

_KEEP = text(
    "INSERT INTO policies (version, content) VALUES (:version, :content) ON CONFLICT (version) DO NOTHING"
)
_READ = select(table.c.version, table.c.content).where(
    table.c.version == any_(bindparam("versions", type_=ARRAY(Text)))
)


class PolicyShelf:
    """Policies by version.

    Args:
        policies: What this process runs with.
    """

    def __init__(self, policies: Policies) -> None:
        loaded = [policies.default, *(policies[municipality] for municipality in policies)]
        self._by_version = {policy.version: policy for policy in loaded}
        self._own = dict(self._by_version)

    def keep(self, connection: Connection) -> None:
        """Put the policies of this process with those that were used before."""
        for version, policy in self._own.items():
            content = Jsonb(json.loads(policy_to_json(policy)))
            connection.execute(_KEEP, {"version": version, "content": content})

    def versions(self, connection: Connection, tasks: Iterable[Task]) -> Mapping[str, Policy]:
        """Policies by version, those of these tasks included; not one that was never kept."""
        missing = {task.policy_version for task in tasks} - self._by_version.keys()
        if missing:
            for row in connection.execute(_READ, {"versions": list(missing)}):
                self._by_version[row.version] = policy_from_json(json.dumps(row.content).encode())
        return self._by_version
