"""From a masked crop to the object's two sides."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .blocks import Block, Conv, Position, Residual, doubled, pixel_grid, to_image, to_tokens


class Reconstruction(nn.Module):
    """A U-Net whose middle is a transformer.

    Input: RGBA [B, 4, S, S], the photo times the mask, and the mask. Outputs:

    surface [B, 5, S, S]
        Front depth relative to its mean, thickness > 0 (both in halves of the crop's side, z away
        from the camera), and the back's RGB.
    hidden [B, 4, S, S]
        Logits of the whole object's mask, with what other things hide, and the front's RGB there.
    """

    def __init__(
        self,
        widths: tuple[int, int, int, int, int] = (24, 48, 80, 128, 256),
        depth: int = 6,
    ) -> None:
        super().__init__()
        steps = range(4)
        self.stem = Conv(4 + 2, widths[0])
        self.down = nn.ModuleList(
            nn.Sequential(
                Conv(widths[i], widths[i + 1], 3, 2),
                *(Residual(widths[i + 1]) for _ in range(1 if i == 0 else 2)),
            )
            for i in steps
        )
        self.position = Position(widths[4])
        self.blocks = nn.ModuleList(Block(widths[4], 8) for _ in range(depth))
        self.up = nn.ModuleList(nn.Conv2d(widths[i + 1], widths[i], 1) for i in steps)
        self.merge = nn.ModuleList(
            nn.Sequential(*(Residual(widths[i]) for _ in range(1 if i == 0 else 2))) for i in steps
        )
        self.out = nn.Conv2d(widths[0], 10, 3, 1, 1)

    def forward(self, rgba: Tensor) -> tuple[Tensor, Tensor]:
        """Predict `surface` and `hidden`."""
        batch, _, height, width = rgba.shape
        colour, mask = rgba[:, :3], rgba[:, 3:4]
        grid = pixel_grid(height, width, rgba.device).permute(2, 0, 1)[None] * 2 - 1
        grid = grid.expand(batch, -1, -1, -1).to(rgba.dtype)
        x = self.stem(torch.cat([(colour - 0.45) * 3 * mask, mask * 2 - 1, grid], 1))
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        tokens = to_tokens(x, self.position)
        for block in self.blocks:
            tokens = block(tokens)
        x = x + to_image(tokens, *x.shape[-2:]).to(x.dtype)
        for i in reversed(range(4)):
            x = self.merge[i](functional.silu(skips[i] + doubled(self.up[i](x))))
        out = self.out(x).float()
        depth, thickness = out[:, :1], functional.softplus(out[:, 1:2] - 1)
        back, share = torch.sigmoid(out[:, 2:5]), torch.sigmoid(out[:, 5:6])
        # Where the back looks like what lies before it, the photo's own detail is carried there.
        share = share * mask
        back = share * colour + (1 - share) * back
        front = torch.sigmoid(out[:, 7:10])
        return torch.cat([depth, thickness, back], 1), torch.cat([out[:, 6:7], front], 1)
