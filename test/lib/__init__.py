# SPDX-License-Identifier: Apache-2.0
"""What the tests with the real binary share: baton itself, scripted servers, real peers, and the runner."""
