#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares folders that diffusers saved, compiled by vaec, with the library itself.

    compare_diffusers.py --vaec VAEC [NAME...]

Each case is a small model with random weights. Encoder and decoder are compared on
odd sizes and batches; the error, relative L2, must be within 2e-5, or ten times
what the library's own f32 is off from f64. Indices of a codebook must be equal.
NAMEs choose cases; none: all. AutoencoderDC computes attention in another order where there are few pixels, so that
it has sizes with fewer and with more pixels than 'attention_head_dim'.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test/e2e"))
from vae_library import Library  # noqa: E402

import diffusers  # noqa: E402

TOLERANCE, OWN_ERRORS = 2e-5, 10
KL = dict(block_out_channels=(8, 16), down_block_types=("DownEncoderBlock2D",) * 2,
          up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=4, latent_channels=3)
TINY = dict(encoder_block_out_channels=(8, 8), decoder_block_out_channels=(8, 8),
            num_encoder_blocks=(1, 2), num_decoder_blocks=(2, 1))
PLAIN = dict(mid_block_add_attention=False)
TEMPORAL = dict(block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D",) * 2, latent_channels=3)
WAN = dict(base_dim=6, z_dim=3, dim_mult=[1, 2, 2], num_res_blocks=1, temperal_downsample=[True, True])
RES, VIT = "ResBlock", "EfficientViTBlock"


def make_dc(**changes):
    """A configuration of AutoencoderDC; keys without prefix are of both sides."""
    config = dict(latent_channels=4, attention_head_dim=8, block_types=(RES, VIT), block_out_channels=(8, 16),
                  layers_per_block=(1, 1), qkv_multiscales=((), (5,)))
    config.update(changes)
    for key in ("block_types", "block_out_channels", "layers_per_block", "qkv_multiscales"):
        value = config.pop(key)
        for side in ("encoder", "decoder"):
            config.setdefault(f"{side}_{key}", value)
    return config



# name: class, configuration
CASES = {
    "kl": ("AutoencoderKL", KL),
    "kl-no-attention": ("AutoencoderKL", {**KL, **PLAIN, "layers_per_block": 2}),
    "kl-no-quant": ("AutoencoderKL", {**KL, "use_quant_conv": False, "use_post_quant_conv": False,
                                      "act_fn": "swish"}),
    "kl-attention-blocks": ("AutoencoderKL", {**KL, "down_block_types": ("DownEncoderBlock2D", "AttnDownEncoderBlock2D"),
                                              "up_block_types": ("AttnUpDecoderBlock2D", "UpDecoderBlock2D")}),
    "kl-scaled": ("AutoencoderKL", {**KL, "scaling_factor": 1.5305, "shift_factor": 0.0609}),
    "kl-scaled-channels": ("AutoencoderKL", {**KL, "scaling_factor": 0.5, "latents_mean": (-1.6, 2.1, 0.3),
                                             "latents_std": (8.4, 5.9, 6.5)}),
    "kl-one-channel": ("AutoencoderKL", {**KL, "in_channels": 1, "out_channels": 1, "latent_channels": 1}),
    "kl-deep": ("AutoencoderKL", {**KL, "block_out_channels": (8, 12, 16), "act_fn": "gelu",
                                  "down_block_types": ("DownEncoderBlock2D",) * 3,
                                  "up_block_types": ("UpDecoderBlock2D",) * 3}),
    "kl-one-block": ("AutoencoderKL", {**KL, "block_out_channels": (8,), "act_fn": "mish",
                                       "down_block_types": ("DownEncoderBlock2D",),
                                       "up_block_types": ("UpDecoderBlock2D",)}),
    "asymmetric": ("AsymmetricAutoencoderKL", dict(
        down_block_types=("DownEncoderBlock2D",) * 2, down_block_out_channels=(8, 16), layers_per_down_block=1,
        up_block_types=("UpDecoderBlock2D",) * 2, up_block_out_channels=(12, 16), layers_per_up_block=2,
        norm_num_groups=4)),
    "flux2": ("AutoencoderKLFlux2", {**KL, "decoder_block_out_channels": (12, 16), "latent_channels": 4}),
    "tiny": ("AutoencoderTiny", TINY),
    "tiny-gelu-bilinear": ("AutoencoderTiny", {**TINY, "act_fn": "gelu", "upsample_fn": "bilinear"}),
    "tiny-default": ("AutoencoderTiny", {}),
    "tiny-scaled": ("AutoencoderTiny", {**TINY, "scaling_factor": 0.25, "shift_factor": -1}),
    "dc": ("AutoencoderDC", make_dc()),
    "dc-conv": ("AutoencoderDC", make_dc(downsample_block_type="Conv", upsample_block_type="interpolate")),
    "dc-deep": ("AutoencoderDC", make_dc(
        block_types=(RES, RES, VIT, VIT), block_out_channels=(8, 8, 16, 32), layers_per_block=(0, 2, 1, 2),
        qkv_multiscales=((), (), (3, 5, 7), ()), decoder_layers_per_block=(0, 1, 2, 1),
        decoder_block_out_channels=(8, 8, 32, 64), attention_head_dim=4, latent_channels=8)),
    "dc-deep-conv": ("AutoencoderDC", make_dc(
        block_types=(RES, RES, VIT), block_out_channels=(6, 6, 12), layers_per_block=(0, 1, 1),
        qkv_multiscales=((), (), (1,)), downsample_block_type="Conv", upsample_block_type="interpolate",
        attention_head_dim=5, latent_channels=6, in_channels=1)),
    "dc-norms": ("AutoencoderDC", make_dc(
        block_types=(RES, VIT, VIT), block_out_channels=(8, 16, 16), layers_per_block=(1, 1, 1),
        qkv_multiscales=((), (5,), (3,)), decoder_norm_types=("batch_norm", "batch_norm", "rms_norm"),
        decoder_act_fns=("relu", "silu", "mish"), decoder_conv_act_fn="gelu")),
    "dc-one-for-all": ("AutoencoderDC", make_dc(
        block_types=RES, decoder_norm_types="batch_norm", decoder_act_fns="Swish", decoder_conv_act_fn="mish")),
    "dc-no-activation": ("AutoencoderDC", make_dc(block_types=RES, decoder_act_fns=(None, "gelu"))),
    "dc-no-shortcuts": ("AutoencoderDC", make_dc(encoder_out_shortcut=False, decoder_in_shortcut=False,
                                                 latent_channels=5)),
    "dc-one-shortcut": ("AutoencoderDC", make_dc(decoder_in_shortcut=False, block_types=VIT,
                                                 qkv_multiscales=((3,), (1, 3)))),
    "dc-empty-stages": ("AutoencoderDC", make_dc(
        block_types=VIT, block_out_channels=(4, 16, 9, 16, 16), layers_per_block=(0, 0, 0, 1, 0),
        qkv_multiscales=((5,),) * 5)),
    "dc-one-stage": ("AutoencoderDC", make_dc(block_types=VIT, block_out_channels=(16,), layers_per_block=(2,),
                                              qkv_multiscales=((3,),))),
    "dc-longer-lists": ("AutoencoderDC", dict(
        latent_channels=4, attention_head_dim=8, encoder_block_out_channels=(8, 16),
        decoder_block_out_channels=(16, 16))),
    "vq": ("VQModel", {**KL, "num_vq_embeddings": 20, "vq_embed_dim": 5}),
    "vq-spatial": ("VQModel", {**KL, "block_out_channels": (32, 64), "norm_type": "spatial",
                               "num_vq_embeddings": 20}),
    "temporal": ("AutoencoderKLTemporalDecoder", TEMPORAL),
    "temporal-two-layers": ("AutoencoderKLTemporalDecoder", {**TEMPORAL, "layers_per_block": 2}),
    "wan": ("AutoencoderKLWan", WAN),
    "wan-one-temporal": ("AutoencoderKLWan", {**WAN, "temperal_downsample": [False, True], "decoder_base_dim": 8,
                                              "num_res_blocks": 2}),
    "wan-residual": ("AutoencoderKLWan", {**WAN, "dim_mult": [1, 2, 4, 4], "temperal_downsample": [False, True, True],
                                          "is_residual": True, "patch_size": 2, "in_channels": 12,
                                          "out_channels": 12, "decoder_base_dim": 8}),
    "qwen": ("AutoencoderKLQwenImage", {**WAN, "latents_mean": [0.5, -1, 2], "latents_std": [0.5, 1, 3]}),
    "qwen-four-channels": ("AutoencoderKLQwenImage", {**WAN, "input_channels": 4}),
}
SIZES = [(2, 40, 72), (1, 16, 8), (1, 8, 24)]  # batch, height, width
CLIPS = [(2, 5, 40, 72), (1, 1, 16, 8), (1, 9, 16, 16)]  # batch, frames, height, width


def randomize(model):
    """Norms and biases other than ones and zeros."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1 or name.endswith("gamma"):
                value += 0.3 * torch.randn(value.shape, generator=generator)
        for name, value in model.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                value += 0.3 * torch.rand(value.shape, generator=generator)


def in_f64():
    """The library computes some sums in torch.float32 whatever type the model has."""
    return mock.patch.object(torch, "float32", torch.float64)


def encode(model, x):
    """What the encoder gives, by the names of vaec's outputs."""
    encoded = model.encode(x)
    if hasattr(encoded, "latent_dist"):
        return {"mu": encoded.latent_dist.mean, "logvar": encoded.latent_dist.logvar}
    latents = encoded.latent if hasattr(encoded, "latent") else encoded.latents
    indices = model.quantize(encoded.latents)[2][2] if hasattr(model, "quantize") else None
    return {"z": latents} | ({} if indices is None else {
        "indices": indices.reshape(len(x), *encoded.latents.shape[2:])})


def scale(config, z):
    """What the pipelines of Stable Diffusion (XL, 3), FLUX.1, Wan and Qwen-Image make of a latent; none for FLUX.2."""
    mean, std = (getattr(config, f"latents_{what}", None) for what in ("mean", "std"))
    if not hasattr(config, "scaling_factor") and (mean is None or len(mean) != z.shape[1]):
        return None
    if mean is not None and std is not None:
        mean, std = (np.array(numbers)[:, None, None] for numbers in (mean, std))
        return (z - mean) * getattr(config, "scaling_factor", 1) / std
    return (z - (getattr(config, "shift_factor", None) or 0)) * config.scaling_factor


def check_scaling(compiled, config):
    """The numbers in the library's table do what the pipelines do."""
    channels = getattr(config, "vq_embed_dim", None) or config.get("z_dim", config.get("latent_channels"))
    z = np.random.default_rng(1).normal(size=(2, channels, 2, 3))
    expected, scaling = scale(config, z), compiled.model.latent_scaling
    if expected is None or not scaling:
        ok = expected is None and not scaling
    else:
        factor, shift = (np.array(numbers[:scaling.contents.count])[:, None, None]
                         for numbers in (scaling.contents.scale, scaling.contents.shift))
        ok = np.allclose((z - shift) * factor, expected, rtol=1e-12, atol=0)
    print(f"  {'ok  ' if ok else 'FAIL'} scaling")
    return ok


def error(found, expected):
    return float(np.linalg.norm(found - expected) / max(np.linalg.norm(expected), 1e-30))


def compare(what, found, own, exact):
    whole = not own.is_floating_point()
    own, exact = own.numpy().astype(np.float64), exact.numpy()
    limit = 0 if whole else max(TOLERANCE, OWN_ERRORS * error(own, exact))
    wrong = error(found.astype(np.float64), own)
    ok = found.shape == own.shape and wrong <= limit and (not whole or len(np.unique(own)) > 1)
    print(f"  {'ok  ' if ok else 'FAIL'} {what}: {wrong:.1e}, limit {limit:.1e}")
    return ok


def save_oddly(model, folder, how):
    """Forms of folders other than the plain one."""
    if how == "f16":
        model.half().save_pretrained(folder, variant="fp16")
    elif how == "bf16":
        model.bfloat16().save_pretrained(folder)
    elif how == "shards":
        model.save_pretrained(folder, max_shard_size="20KB")
    elif how == "old-attention":
        model.save_pretrained(folder)
        rename_attention(folder)
    else:
        model.save_pretrained(folder)
    return type(model).from_pretrained(folder, variant="fp16" if how == "f16" else None).float()


def rename_attention(folder):
    from safetensors.torch import load_file, save_file
    path = folder / "diffusion_pytorch_model.safetensors"
    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = {}
    for name, value in load_file(path).items():
        for new, old in names.items():
            name = name.replace(f".{new}.", f".{old}.")
        tensors[name] = value.contiguous()
    save_file(tensors, path)


def is_video(model):
    return type(model).__name__ in ("AutoencoderKLWan", "AutoencoderKLQwenImage")


def inputs(model):
    """Shapes of what is encoded."""
    config = model.config
    channels = config.get("in_channels", config.get("input_channels"))
    if not is_video(model):
        return [(batch, channels, height, width) for batch, height, width in SIZES]
    patch = config.get("patch_size") or 1
    channels //= patch**2
    # Downsampling and patches: multiples of 16.
    fit = (lambda size: -size // 16 * -16) if patch > 1 else int
    return [(batch, channels, frames, fit(height), fit(width)) for batch, frames, height, width in CLIPS]


def decode(model, z, frames):
    if type(model).__name__ == "AutoencoderKLTemporalDecoder":
        return model.decode(z, num_frames=frames or len(z)).sample
    return model.decode(z).sample


def check(name, vaec, folder, how=None):
    print(f"{name}{' ' + how if how else ''}")
    kind, config = CASES[name]
    torch.manual_seed(1)
    model = getattr(diffusers, kind)(**config).eval()
    randomize(model)
    if how:
        model = save_oddly(model, folder, how)
    else:
        model.save_pretrained(folder)
    library = folder / "vae.so"
    frames = 2 if how == "frames" else None
    options = [f"--frames={frames}"] if frames else []
    subprocess.run([vaec, str(folder), "-O3", "--exact-conv", "-o", str(library), *options], check=True)
    compiled = Library(library)
    exact = getattr(diffusers, kind)(**config).eval()
    exact.load_state_dict(model.state_dict())
    exact = exact.double()
    ok = check_scaling(compiled, model.config)
    for shape in inputs(model):
        if frames:
            shape = (2 * frames, *shape[1:])
        x = torch.randn(shape)
        size = "x".join(map(str, shape[2:]))
        with torch.no_grad():
            own = encode(model, x)
            z = next(iter(own.values()))
            decoded = decode(model, z, frames)
            with in_f64():
                best, better = encode(exact, x.double()), decode(exact, z.double(), frames)
        found = compiled.run("encode", x=x.numpy())
        ok &= list(found) == list(own)
        for output, value in own.items():
            ok &= compare(f"{output} {size}", found[output], value, best[output])
        ok &= compare(f"decoded {size}", next(iter(compiled.run("decode", z=z.numpy()).values())),
                      decoded, better)
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vaec", required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    jobs = [(name, None) for name in arguments.names or CASES]
    if not arguments.names:
        jobs += [("kl", how) for how in ("f16", "bf16", "shards", "old-attention")]
        jobs += [("temporal", "frames")]
    failed = []
    for name, how in jobs:
        with tempfile.TemporaryDirectory() as folder:
            try:
                if not check(name, arguments.vaec, pathlib.Path(folder), how):
                    failed.append(name)
            except subprocess.CalledProcessError as problem:
                print(f"  FAIL {problem}")
                failed.append(name)
    print(f"{len(jobs) - len(failed)} of {len(jobs)} passed" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
