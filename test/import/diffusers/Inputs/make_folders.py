# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes folders as diffusers saves them, good and bad ones, into a folder."""
import copy
import json
import os
import struct
import sys

CONFIG = {
    "_class_name": "AutoencoderTiny", "_diffusers_version": "0.42.0",
    "in_channels": 1, "out_channels": 1, "latent_channels": 2, "scaling_factor": 1.0,
    "encoder_block_out_channels": [2], "decoder_block_out_channels": [2],
    "num_encoder_blocks": [0], "num_decoder_blocks": [0],
}
DC = {
    "_class_name": "AutoencoderDC", "_diffusers_version": "0.42.0", "latent_channels": 4, "attention_head_dim": 8,
    "encoder_block_out_channels": [8, 16], "decoder_block_out_channels": [8, 16],
    "encoder_layers_per_block": [1, 1], "decoder_layers_per_block": [1, 1],
}
# Changes of DC that are mistakes, by the folder's name.
BAD_DC = {
    "dc-misspelt": {"decoder_act_fn": "silu"},
    "dc-no-channels": {"encoder_block_out_channels": []},
    "dc-channels": {"encoder_block_out_channels": [8, 0]},
    "dc-layers": {"encoder_layers_per_block": 2},
    "dc-few-layers": {"decoder_layers_per_block": [1]},
    "dc-default-layers": {"decoder_block_out_channels": [8] * 7, "decoder_layers_per_block": None},
    "dc-type": {"decoder_block_types": ["ResBlock", "VitBlock"]},
    "dc-few-types": {"encoder_block_types": ["ResBlock"]},
    "dc-scales": {"encoder_block_types": "EfficientViTBlock", "encoder_qkv_multiscales": [5, 5]},
    "dc-even-scale": {"encoder_block_types": "EfficientViTBlock", "encoder_qkv_multiscales": [[], [4]]},
    "dc-norm": {"decoder_norm_types": "layer_norm"},
    "dc-activation": {"decoder_act_fns": ["relu", "relu6"]},
    "dc-no-activation": {"decoder_act_fns": None, "decoder_conv_act_fn": 1},
    "dc-downsample": {"downsample_block_type": "pixel_shuffle"},
    "dc-upsample": {"upsample_block_type": "nearest"},
    "dc-head": {"encoder_block_types": "EfficientViTBlock", "attention_head_dim": 9},
    "dc-one-empty-stage": {"encoder_block_out_channels": [16], "encoder_layers_per_block": [0]},
    "dc-empty-stage": {"decoder_block_out_channels": [8, 8, 16], "decoder_layers_per_block": [1, 0, 1]},
    "dc-shortcut": {"encoder_block_out_channels": [8, 24]},
    "dc-latent-shortcut": {"latent_channels": 5, "encoder_out_shortcut": False},
    "dc-unshuffle": {"encoder_block_out_channels": [8, 2], "encoder_out_shortcut": False},
}
TENSORS = {"encoder.layers.0.weight": [2, 1, 3, 3], "encoder.layers.0.bias": [2],
           "encoder.layers.1.weight": [2, 2, 3, 3], "encoder.layers.1.bias": [2],
           "decoder.layers.0.weight": [2, 2, 3, 3], "decoder.layers.0.bias": [2],
           "decoder.layers.2.weight": [1, 2, 3, 3], "decoder.layers.2.bias": [1]}
NAME = "diffusion_pytorch_model"
KL = {"_class_name": "AutoencoderKL", "encoder_block_out_channels": None, "decoder_block_out_channels": None,
      "num_encoder_blocks": None, "num_decoder_blocks": None, "block_out_channels": [32]}


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def safetensors(tensors):
    header, offset = {}, 0
    for name, shape in tensors.items():
        end = offset + 4 * count(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def save(folder, config=None, tensors=None, weights=NAME + ".safetensors"):
    os.makedirs(folder)
    if config is not False:
        with open(f"{folder}/config.json", "w", encoding="utf-8") as file:
            file.write(config if isinstance(config, str) else json.dumps(config or CONFIG, indent=2))
    if weights:
        with open(f"{folder}/{weights}", "wb") as file:
            file.write(safetensors(tensors or TENSORS))


def changed(base=None, **keys):
    """The configuration with other values; None removes a key."""
    config = copy.deepcopy(base or CONFIG)
    config.update(keys)
    return {key: value for key, value in config.items() if value is not None}


def save_shards(folder, files):
    """An index that says that the tensors lie in `files`, the first of which is there."""
    save(folder, weights=files[0])
    names = list(TENSORS)
    index = {"weight_map": {name: files[i * len(files) // len(names)] for i, name in enumerate(names)}}
    with open(f"{folder}/{NAME}.safetensors.index.json", "w", encoding="utf-8") as file:
        json.dump(index, file)


def main():
    os.chdir(sys.argv[1])
    save("good")
    save("variant", weights=NAME + ".fp16.safetensors")
    save("extra", tensors={**TENSORS, "decoder.unused.weight": [3]})
    save("no-config", config=False)
    save("pipeline", config=False)
    os.makedirs("pipeline/vae")
    with open("pipeline/model_index.json", "w", encoding="utf-8") as file:
        file.write("{}")
    save("bad-json", config='{\n  "_class_name": ')
    save("large")
    os.truncate("large/config.json", 65 << 20)
    save("no-class", config=changed(_class_name=None))
    save("other-class", config=changed(_class_name="AutoencoderKLMochi"))
    save("misspelt", config=changed(latent_chanels=2))
    save("bad-blocks", config=changed(num_encoder_blocks=[1, 2]))
    save("bad-type", config=changed(**KL, down_block_types=["DownBlock2D"]))
    save("bad-scaling", config=changed(scaling_factor=0))
    save("bad-mean", config=changed(**KL, latents_mean=[1, 2, 3, 4], latents_std=[1, 1]))
    save("bad-deviation", config=changed(**KL, latents_mean=[1, 2], latents_std=[1, 0]))
    for name, keys in BAD_DC.items():
        save(name, config=changed(DC, **keys))
    save("no-weights", weights=None)
    save("pickled", weights=NAME + ".bin")
    save("two-variants", weights=NAME + ".fp16.safetensors")
    with open(f"two-variants/{NAME}.ema.safetensors", "wb") as file:
        file.write(safetensors(TENSORS))
    save("missing", tensors={name: shape for name, shape in TENSORS.items() if name != "decoder.layers.2.bias"})
    save("contradiction", tensors={**TENSORS, "encoder.layers.0.weight": [2, 3, 3, 3]})
    save_shards("missing-shard", ["a.safetensors", "b.safetensors"])
    save_shards("traversal", ["a.safetensors", "../good/" + NAME + ".safetensors"])
    save_shards("large-index", ["a.safetensors"])
    os.truncate(f"large-index/{NAME}.safetensors.index.json", 65 << 20)


if __name__ == "__main__":
    main()
