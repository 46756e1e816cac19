"""Archived policies: what a policy says, as canonical JSON, so that it outlives its file (design 6, domain 8.11).

In: a policy. Out: bytes from which the same policy, under the same version, is made again, also by a later release
whose policies say more. What was decided under a policy is decided under it for ever, whatever the folder holds now.
"""

import json

from pydantic import ValidationError
from signaalwissel.processors.policy import Policy, PolicyError, canonical_json, version_of


def policy_to_json(policy: Policy) -> bytes:
    """What a policy decides, as canonical JSON; its version is the hash of these bytes."""
    return canonical_json(policy.rules)


def policy_from_json(data: bytes) -> Policy:
    """The policy that an archive holds, under the version that it had when it was archived.

    Args:
        data: JSON of `policy_to_json`, also when a database put its keys in another order.

    Raises:
        PolicyError: The content is no policy; names key and bound.
    """
    try:
        content = json.loads(data)
        policy = Policy.model_validate_json(data)
    except ValidationError as error:
        findings = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'policy'}: {e['msg']}" for e in error.errors()
        )
        raise PolicyError(f"archived policy: {findings}") from error
    except ValueError as error:
        raise PolicyError(f"archived policy: is not JSON: {error}") from error
    return policy.under(version_of(canonical_json(content)))
