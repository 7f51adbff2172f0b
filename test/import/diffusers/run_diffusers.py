#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes a folder that diffusers saved from a photograph to latents and back.

    run_diffusers.py --vaec VAEC --vae-run VAE_RUN

The model is a small AutoencoderKL with random weights. Images and latents that
vae-run writes are compared with what the library and a pipeline around it make,
and its measures of quality with their formulas in NumPy.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import diffusers
import numpy as np
import torch
from PIL import Image

HEIGHT, WIDTH = 44, 36  # multiples of 4
CONFIG = dict(block_out_channels=(8, 8, 16), down_block_types=("DownEncoderBlock2D",) * 3,
              up_block_types=("UpDecoderBlock2D",) * 3, norm_num_groups=4, latent_channels=4,
              scaling_factor=1.5305, shift_factor=0.0609)


class Checker:
    def __init__(self):
        self.failures = 0

    def __call__(self, what, good):
        print(f"{'ok  ' if good else 'FAIL'} {what}")
        self.failures += not good

    def close(self, what, found, expected, tolerance):
        same = np.shape(found) == np.shape(expected)
        worst = float(np.max(np.abs(np.subtract(found, expected, dtype=np.float64)))) if same else np.inf
        self(f"{what}: off by {worst:.2g}, limit {tolerance:.2g}", worst <= tolerance)


def make_photo(path, height, width):
    """Slopes, stripes and noise in three colours."""
    y, x = np.mgrid[0:height, 0:width]
    noise = np.random.default_rng(1).normal(0, 20, (height, width, 3))
    colors = np.stack([4 * x + y, 128 + 100 * np.sin(x / 3 + y / 5), 6 * y], axis=-1)
    Image.fromarray(np.clip(colors + noise, 0, 255).astype(np.uint8)).save(path)


def read_image(path):
    return np.asarray(Image.open(path))


def get_ssim(x, y, data_range):
    """Wang et al. 2004, equations 13 to 17, of images [N, C, H, W]."""
    distance = np.arange(11) - 5
    weights = np.exp(-(distance[:, None] ** 2 + distance ** 2) / (2 * 1.5 ** 2))
    weights /= weights.sum()
    x, y = (np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (11, 11), axis=(2, 3))
            for image in (x, y))
    mean_x, mean_y = (np.sum(weights * image, axis=(-2, -1), keepdims=True) for image in (x, y))
    var_x, var_y, cov = (np.sum(weights * (a - b) * (c - d), axis=(-2, -1), keepdims=True)
                         for a, b, c, d in ((x, mean_x, x, mean_x), (y, mean_y, y, mean_y), (x, mean_x, y, mean_y)))
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    return np.mean((2 * mean_x * mean_y + c1) * (2 * cov + c2)
                   / ((mean_x ** 2 + mean_y ** 2 + c1) * (var_x + var_y + c2)))


class Tool:
    """vae-run with a library."""

    def __init__(self, program, library):
        self.command = [program, str(library)]

    def run(self, *arguments, code=0):
        result = subprocess.run([*self.command, *map(str, arguments)], capture_output=True, text=True, check=False)
        if result.returncode != code:
            sys.exit(f"{arguments}: exit code {result.returncode}\n{result.stderr}")
        return result.stderr if code else result.stdout


def check_images(check, tool, folder, expected):
    photo = folder / "photo.png"
    report = json.loads(tool.run("reconstruct", photo, "-o", folder / "y.npy", "--json"))
    y = np.load(folder / "y.npy")
    check.close("reconstruction", y, expected["y"], 1e-4)
    x, y = expected["x"].astype(np.float64), y.astype(np.float64)
    mse = np.mean((x - y) ** 2)
    check.close("MSE", report["mse"], mse, 1e-6)
    check.close("PSNR", report["psnr"], 10 * np.log10(4 / mse), 1e-4)
    check.close("SSIM", report["ssim"], get_ssim(x, y, 2), 1e-4)

    text = tool.run("reconstruct", photo, "-o", folder / "out.png")
    check("measures as text", f"PSNR {report['psnr']:.6g}"[:9] in text and f"SSIM {report['ssim']:.6g}"[:9] in text)
    pixels = np.rint((np.clip(expected["y"][0], -1, 1) + 1) / 2 * 255).transpose(1, 2, 0)
    check.close("out.png", read_image(folder / "out.png"), pixels, 1)
    return pixels


def check_latents(check, tool, folder, expected, pixels):
    photo, latent = folder / "photo.png", folder / "latent.npz"
    for scaled, name in ([], "mu"), (["--scaled"], "scaled"):
        tool.run("encode", photo, "-o", latent, *scaled)
        arrays = np.load(latent)
        check.close(f"{name} of the encoder", arrays["mu"], expected[name], 1e-4)
        tool.run("decode", latent, "-o", folder / "back.png", *scaled)
        check.close(f"back.png from {name}", read_image(folder / "back.png"), pixels, 1)
    logvar = expected["logvar"] + 2 * np.log(CONFIG["scaling_factor"])
    check.close("log-variance of the scaled latent", arrays["logvar"], logvar, 1e-4)


def check_sizes(check, tool, folder):
    for size, nearest in (((HEIGHT + 1, WIDTH + 3), f"the nearest sizes are {HEIGHT} x {WIDTH} and "
                                                    f"{HEIGHT + 4} x {WIDTH + 4}"),
                          ((2, WIDTH), f"the nearest size is 4 x {WIDTH}")):
        make_photo(folder / "odd.png", *size)
        message = tool.run("reconstruct", folder / "odd.png", code=1)
        check(f"{size}: {message.strip()}", nearest in message)


def check_video(check, arguments, folder):
    """An image is a video of one frame."""
    model = diffusers.AutoencoderKLQwenImage(base_dim=8, z_dim=4, dim_mult=[1, 2], num_res_blocks=1,
                                             temperal_downsample=[True]).eval()
    model.save_pretrained(folder / "video")
    subprocess.run([arguments.vaec, str(folder / "video"), "-O3", "-o", str(folder / "video.so")], check=True)
    tool = Tool(arguments.vae_run, folder / "video.so")
    photo = folder / "photo.png"
    x = read_image(photo).transpose(2, 0, 1)[None, :, None].astype(np.float32) / 127.5 - 1
    with torch.no_grad():
        y = model.decode(model.encode(torch.from_numpy(x)).latent_dist.mode()).sample.numpy()
    report = json.loads(tool.run("reconstruct", photo, "-o", folder / "video.png", "--json"))
    pixels = np.rint((np.clip(y[0, :, 0], -1, 1) + 1) / 2 * 255).transpose(1, 2, 0)
    check.close("video.png", read_image(folder / "video.png"), pixels, 1)
    check.close("SSIM of a frame", report["ssim"], get_ssim(x[:, :, 0], y[:, :, 0], 2), 1e-4)
    np.save(folder / "video.npy", np.repeat(x, 3, axis=2))
    message = tool.run("reconstruct", folder / "video.npy", "-o", folder / "video.png", code=1)
    check(message.strip(), "videos of 3 frames" in message)
    np.save(folder / "video.npy", np.repeat(x, 2, axis=2))
    message = tool.run("reconstruct", folder / "video.npy", code=1)
    check(message.strip(), "frames 1 more than a multiple of 2" in message)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vaec", required=True)
    parser.add_argument("--vae-run", required=True)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    model = diffusers.AutoencoderKL(**CONFIG).eval()
    check = Checker()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model.save_pretrained(folder / "vae")
        subprocess.run([arguments.vaec, str(folder / "vae"), "-O3", "-o", str(folder / "vae.so")], check=True)
        make_photo(folder / "photo.png", HEIGHT, WIDTH)
        x = read_image(folder / "photo.png").transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
        with torch.no_grad():
            q = model.encode(torch.from_numpy(x)).latent_dist
            y = model.decode(q.mode()).sample
        mu = q.mode().numpy()
        expected = {"x": x, "y": y.numpy(), "mu": mu, "logvar": q.logvar.numpy(),
                    "scaled": (mu - CONFIG["shift_factor"]) * CONFIG["scaling_factor"]}
        tool = Tool(arguments.vae_run, folder / "vae.so")
        pixels = check_images(check, tool, folder, expected)
        check_latents(check, tool, folder, expected, pixels)
        check_sizes(check, tool, folder)
        check_video(check, arguments, folder)
    return 1 if check.failures else 0


if __name__ == "__main__":
    sys.exit(main())
