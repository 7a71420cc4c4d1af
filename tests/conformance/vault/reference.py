"""Encrypts and decrypts with ansible-core's own code: a list of jobs in a file, a list of results on standard output,
both JSON. All in one process, since starting Ansible costs more than all of the work.
"""

import json
import os
import sys
import tempfile

for name in [name for name in os.environ if name.startswith("ANSIBLE_")]:
    del os.environ[name]
EMPTY = tempfile.NamedTemporaryFile(suffix=".cfg")
os.environ["ANSIBLE_CONFIG"] = EMPTY.name

from ansible import constants
from ansible.parsing.vault import VaultLib, VaultSecret, is_encrypted


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def encrypt(job):
    secret = VaultSecret(bytes.fromhex(job["password"]))
    salt = bytes.fromhex(job["salt"]) if job.get("salt") else None
    write(job["to"], VaultLib().encrypt(read(job["from"]), secret, vault_id=job["label"], salt=salt))
    return {}


def decrypt(job):
    constants.DEFAULT_VAULT_ID_MATCH = job.get("only_matching", False)
    secrets = [(label, VaultSecret(bytes.fromhex(password))) for label, password in job["secrets"]]
    data = read(job["from"])
    result = {"is_encrypted": is_encrypted(data)}
    try:
        plaintext, label, secret = VaultLib(secrets).decrypt_and_get_vault_id(data)
    except Exception as error:
        return {**result, "error": f"{type(error).__name__}: {error}"}
    write(job["to"], plaintext)
    return {**result, "password": secret.bytes.hex()}


JOBS = {"encrypt": encrypt, "decrypt": decrypt}

json.dump([JOBS[job["do"]](job) for job in json.loads(read(sys.argv[1]))], sys.stdout)
