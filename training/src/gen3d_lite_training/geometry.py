"""Rotations and cameras. World: y up. Camera rows: right, down, forward."""

import torch
from torch import Tensor
from torch.nn.functional import normalize


def rotations(yaw: Tensor, tilt: Tensor, roll: Tensor) -> Tensor:
    """World-to-object rotations Rx(tilt) · Rz(roll) · Ry(yaw), f32 [..., 3, 3]."""
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)

    def matrix(*entries: Tensor) -> Tensor:
        return torch.stack(entries, -1).view(*yaw.shape, 3, 3)

    c, s = yaw.cos(), yaw.sin()
    about_y = matrix(c, zero, s, zero, one, zero, -s, zero, c)
    c, s = tilt.cos(), tilt.sin()
    about_x = matrix(one, zero, zero, zero, c, -s, zero, s, c)
    c, s = roll.cos(), roll.sin()
    about_z = matrix(c, -s, zero, s, c, zero, zero, zero, one)
    return about_x @ about_z @ about_y


def look_at(eye: Tensor, target: Tensor, roll: Tensor) -> Tensor:
    """Camera rows of somebody at `eye` who looks at `target`, f32 [..., 3, 3]."""
    forward = normalize(target - eye, dim=-1)
    up = torch.zeros_like(forward)
    up[..., 1] = 1
    right = normalize(torch.cross(up, forward, dim=-1), dim=-1)
    true_up = torch.cross(forward, right, dim=-1)
    c, s = roll.cos()[..., None], roll.sin()[..., None]
    return torch.stack([right * c + true_up * s, right * s - true_up * c, forward], -2)


def height_below(rotation: Tensor, half_extent: Tensor) -> Tensor:
    """How far a turned box reaches below its centre: f32 [...] of [..., 3, 3] and [..., 3]."""
    reach = rotation.abs().transpose(-1, -2) @ half_extent[..., None]
    return reach[..., 1, 0]
