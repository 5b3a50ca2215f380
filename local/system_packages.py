"""Installs the few shared libraries that Python wheels do not bring, where they are missing."""

import ctypes.util
import os
import shutil
import subprocess
import sys

# Library → Debian's package: open3d loads the first three when it is imported.
LIBRARIES = {"usb-1.0": "libusb-1.0-0", "GL": "libgl1", "gomp": "libgomp1"}


def main() -> None:
    """Install what is missing with apt, or say what to install."""
    missing = [package for name, package in LIBRARIES.items() if not ctypes.util.find_library(name)]
    if sys.platform != "linux" or not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    apt = shutil.which("apt-get")
    if apt:
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", *missing]):
            subprocess.run([*sudo, apt, *arguments], check=False, stdout=subprocess.DEVNULL)
    missing = [p for name, p in LIBRARIES.items() if not ctypes.util.find_library(name)]
    if missing:
        sys.exit(f"Please install these packages, then try again: {' '.join(missing)}")


if __name__ == "__main__":
    main()
