"""JupyterHub's settings for a course on one machine: `make hub` (start.py) prepares the folder and starts the hub with them."""

import os
import sys
import tomllib
from pathlib import Path

FOLDER = Path(os.environ["COURSE_HUB"])
SETTINGS = tomllib.loads((FOLDER / "hub.toml").read_text(encoding="utf-8"))
INSTRUCTOR, LEARNERS = SETTINGS["instructor"], SETTINGS["learners"]

c = get_config()  # type: ignore[name-defined]  # noqa: F821  (traitlets offers it to configuration files)

# Where people come in. What hub and proxy say to each other stays on this machine.
c.JupyterHub.bind_url = SETTINGS["address"]
c.JupyterHub.ssl_cert = SETTINGS.get("certificate", "")
c.JupyterHub.ssl_key = SETTINGS.get("key", "")
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{SETTINGS['hub_port']}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{SETTINGS['proxy_port']}"
c.ConfigurableHTTPProxy.command = [os.environ["COURSE_PROXY"]]
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "hub" / "proxy.pid")

# What the hub keeps: root's alone.
c.JupyterHub.db_url = f"sqlite:///{FOLDER / 'hub' / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(FOLDER / "hub" / "cookie_secret")

# People log in with their account on this machine, and nobody else does. Nobody is an administrator of the hub: the
# instructor needs no way into learners' servers, since what they hand in comes to him.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.open_sessions = False  # no terminal is opened, and containers often allow none
c.Authenticator.allowed_users = {INSTRUCTOR, *LEARNERS}
c.Authenticator.delete_invalid_users = True  # who was taken out of hub.toml is forgotten

# Each one's JupyterLab runs as that person, and the system keeps them apart.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = "/lab"
c.Spawner.http_timeout = 120  # the first start after a boot reads all of JupyterLab from the disk
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=7200",  # kernels hold torch in memory: two idle hours, and one ends
    "--ServerApp.shutdown_no_activity_timeout=14400",
]
c.Spawner.env_keep.extend(["CIFAR10_ROOT", "TUTOR_DATA", "OMP_NUM_THREADS"])


def furnish(spawner) -> None:  # type: ignore[no-untyped-def]
    """Give the instructor the course with formgrader, and a learner the list of assignments."""
    role = "instructor" if spawner.user.name == INSTRUCTOR else "learner"
    spawner.notebook_dir = str(FOLDER / "course") if role == "instructor" else "~"
    spawner.environment = {
        "JUPYTER_CONFIG_PATH": str(FOLDER / "settings" / role),
        # The package would else keep data and runs beside itself, where only root may write.
        "TUTOR_BUILD": str(FOLDER / "course" / "build")
        if role == "instructor"
        else os.path.expanduser(f"~{spawner.user.name}/build"),
    }


c.Spawner.pre_spawn_hook = furnish
