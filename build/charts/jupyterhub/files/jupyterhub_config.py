"""Configuration of the hub. What differs between clusters comes as JSON from settings.json; secrets come as files."""

import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

from jupyterhub.auth import Authenticator

settings = json.loads(Path("/etc/jupyterhub/settings.json").read_text())
auth, notebook, kube = settings["auth"], settings["notebook"], settings["kubernetes"]
KEYS = Path("/run/secrets/jupyterhub")


class PasswordFiles(Authenticator):
    """Everybody has a password of their own, which the chart generated: the file `password-<name>`."""

    async def authenticate(self, handler, data):
        name = data["username"]
        file = KEYS / f"password-{name}"
        known = name in auth["admins"] + auth["users"] and file.is_file()
        # Compared in either case, so that the time tells nobody who there is.
        wanted = file.read_text() if known else secrets.token_hex()
        given = data["password"]
        return name if secrets.compare_digest(wanted.encode(), given.encode()) and known else None


c = get_config()  # noqa: F821

# Hub and proxy.
c.JupyterHub.bind_url = "http://:8000" + settings["baseUrl"]
c.JupyterHub.hub_bind_url = "http://:8081"
c.JupyterHub.hub_connect_url = f"http://{settings['hub']}:8081"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://{settings['proxy']}:8001"
c.ConfigurableHTTPProxy.auth_token = (KEYS / "proxy-token").read_text()
c.JupyterHub.cookie_secret = hashlib.sha256((KEYS / "cookie-key").read_bytes()).digest()
c.JupyterHub.db_url = "sqlite:////srv/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.upgrade_db = True
# A hub that starts anew leaves notebooks alone.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.authenticate_prometheus = False

# Who may sign in.
# The lists say who may, not who once could.
c.Authenticator.allow_existing_users = False
c.Authenticator.admin_users = set(auth["admins"])
c.Authenticator.allowed_users = set(auth["admins"] + auth["users"])
if auth["kind"] == "github":
    from oauthenticator.github import GitHubOAuthenticator

    c.JupyterHub.authenticator_class = GitHubOAuthenticator
    c.GitHubOAuthenticator.client_id = os.environ["GITHUB_CLIENT_ID"]
    c.GitHubOAuthenticator.client_secret = os.environ["GITHUB_CLIENT_SECRET"]
    c.GitHubOAuthenticator.oauth_callback_url = auth["callbackUrl"]
    c.GitHubOAuthenticator.allowed_organizations = set(auth["organizations"])
    if auth["organizations"]:
        c.GitHubOAuthenticator.scope = ["read:org"]
else:
    c.JupyterHub.authenticator_class = PasswordFiles

# Notebooks.
c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
c.KubeSpawner.namespace = kube["namespace"]
c.KubeSpawner.common_labels = kube["labels"]
c.KubeSpawner.component_label = kube["component"]
c.KubeSpawner.pod_name_template = kube["name"] + "-notebook-{user_server}"
c.KubeSpawner.image = notebook["image"]
c.KubeSpawner.image_pull_policy = notebook["pullPolicy"]
c.KubeSpawner.image_pull_secrets = kube["pullSecrets"]
c.KubeSpawner.cpu_guarantee = notebook["cpu"]["request"]
c.KubeSpawner.cpu_limit = notebook["cpu"]["limit"]
c.KubeSpawner.mem_guarantee = notebook["memory"]["request"]
c.KubeSpawner.mem_limit = notebook["memory"]["limit"]
c.KubeSpawner.default_url = notebook["defaultUrl"]
c.KubeSpawner.start_timeout = notebook["startTimeoutSeconds"]
c.KubeSpawner.environment = notebook["env"]
c.KubeSpawner.node_selector = notebook["nodeSelector"]
c.KubeSpawner.tolerations = notebook["tolerations"]
# As the Pod Security Standard `restricted` wants it; people install packages into their own home.
c.KubeSpawner.uid = 1000
c.KubeSpawner.gid = 100
c.KubeSpawner.fs_gid = 100
c.KubeSpawner.allow_privilege_escalation = False
c.KubeSpawner.container_security_context = {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True}
c.KubeSpawner.pod_security_context = {"fsGroup": 100, "seccompProfile": {"type": "RuntimeDefault"}}
c.KubeSpawner.automount_service_account_token = False
c.KubeSpawner.extra_pod_config = {"enableServiceLinks": False}
if notebook["storage"]["enabled"]:
    c.KubeSpawner.pvc_name_template = kube["name"] + "-home-{user_server}"
    c.KubeSpawner.storage_pvc_ensure = True
    c.KubeSpawner.storage_capacity = notebook["storage"]["size"]
    c.KubeSpawner.storage_access_modes = ["ReadWriteOnce"]
    if notebook["storage"]["storageClass"]:
        c.KubeSpawner.storage_class = notebook["storage"]["storageClass"]
    c.KubeSpawner.volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": kube["name"] + "-home-{user_server}"}}]
    c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": "/home/jovyan"}]

# Stops notebooks that nobody uses.
if notebook["cullAfterSeconds"]:
    c.JupyterHub.services = [
        {
            "name": "cull-idle",
            "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={notebook['cullAfterSeconds']}"],
        }
    ]
    c.JupyterHub.load_roles = [
        {
            "name": "cull-idle",
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
            "services": ["cull-idle"],
        }
    ]
