# SPDX-License-Identifier: GPL-2.0-or-later
"""What the namespace tests and the VM tests share: hosts, guests, the daemon, outside servers."""
