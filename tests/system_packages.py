"""``system_packages.py chromium …``: installs Debian packages where they are missing.

What runs needs none of them: Chromium is for the browser tests, jq for the documented commands, the
libraries for open3d, which the mesh benchmark compares with, and for PyMeshLab, Blender, assimp and
PrusaSlicer for the benchmark that reads our files back, Docker and mmdebstrap for the check of the
images.
"""

import ctypes.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

IS_THERE: dict[str, Callable[[], object]] = {
    "chromium": lambda: shutil.which("chromium"),
    "jq": lambda: shutil.which("jq"),
    "docker.io": lambda: shutil.which("dockerd"),
    "docker-registry": lambda: shutil.which("docker-registry"),
    "mmdebstrap": lambda: shutil.which("mmdebstrap"),
    "blender": lambda: shutil.which("blender"),
    "python3-numpy": lambda: Path("/usr/lib/python3/dist-packages/numpy").is_dir(),
    "assimp-utils": lambda: shutil.which("assimp"),
    "prusa-slicer": lambda: shutil.which("prusa-slicer"),
    "libusb-1.0-0": lambda: ctypes.util.find_library("usb-1.0"),
    "libgl1": lambda: ctypes.util.find_library("GL"),
    "libopengl0": lambda: ctypes.util.find_library("OpenGL"),
    "libgomp1": lambda: ctypes.util.find_library("gomp"),
}


def main(packages: list[str]) -> None:
    """Install what is missing with apt, or say what to install."""
    missing = [package for package in packages if not IS_THERE[package]()]
    if missing and shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", *missing]):
            subprocess.run([*sudo, "apt-get", *arguments], check=False, stdout=subprocess.DEVNULL)
    missing = [package for package in packages if not IS_THERE[package]()]
    if missing:
        sys.exit(f"Please install these packages, then try again: {' '.join(missing)}")


if __name__ == "__main__":
    main(sys.argv[1:])
