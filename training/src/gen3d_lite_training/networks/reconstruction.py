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
    elevation [B]
        Angle by which the camera looks down on the object, radians.
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
        self.elevation = nn.Linear(widths[4], 1)

    def _encode(self, rgba: Tensor) -> tuple[list[Tensor], Tensor]:
        """Features at stride 1 to 16, and the tokens [B, (S/16)², C] that saw all of the crop."""
        batch, _, height, width = rgba.shape
        colour, mask = rgba[:, :3], rgba[:, 3:4]
        grid = pixel_grid(height, width, rgba.device).permute(2, 0, 1)[None] * 2 - 1
        grid = grid.expand(batch, -1, -1, -1).to(rgba.dtype)
        x = self.stem(torch.cat([(colour - 0.45) * 3 * mask, mask * 2 - 1, grid], 1))
        features = [x]
        for down in self.down:
            features.append(down(features[-1]))
        tokens = to_tokens(features[-1], self.position)
        for block in self.blocks:
            tokens = block(tokens)
        return features, tokens

    def forward(self, rgba: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict `surface`, `hidden` and `elevation`."""
        colour, mask = rgba[:, :3], rgba[:, 3:4]
        (*skips, x), tokens = self._encode(rgba)
        elevation = self.elevation(tokens.mean(1))[:, 0]
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
        surface = torch.cat([depth, thickness, back], 1)
        return surface, torch.cat([out[:, 6:7], front], 1), elevation
