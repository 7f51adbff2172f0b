// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Videos: tensors [N, C, T, H, W] of N clips of T frames. Included by VaeOps.td.
#ifndef VAE_VIDEO_OPS_TD
#define VAE_VIDEO_OPS_TD

def Vae_Conv3dOp : Vae_LayerOp<"conv3d"> {
  let summary = "3-D convolution (cross-correlation)";
  let description = [{
    y[n, o, t, i, j] = act(sum_{c, f, a, b} xp[n, g*C/G + c, t*s0 + f*d0, i*s1 + a*d1,
    j*s2 + b*d2] * weight[o, c, f, a, b] + bias[o] + residual[n, o, t, i, j]), xp
    being x padded with zeros and g = o / (O/G). It is causal in time if no frame
    is padded at the back: with d0*(KT-1) frames of padding at the front, frame t
    of the result depends on frames 0..t of x.

    Constraints: (C1) x is [N, C, T, H, W]. (C2) weight is [O, C/groups, KT, KH,
    KW] and groups divides C and O. (C3) bias is [O]. (C4) residual has the shape
    of the result. (C5) strides and dilations are three positive numbers, padding
    is [front, top, left, back, bottom, right] >= 0. (C6) the dilated kernel fits
    into the padded input.
  }];
  let arguments = (ins Vae_Tensor:$x, Vae_Tensor:$weight, Optional<Vae_Tensor>:$bias,
                       Optional<Vae_Tensor>:$residual,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1, 1}">:$strides,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0, 0, 0}">:$padding,
                       DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1, 1}">:$dilations,
                       DefaultValuedAttr<I64Attr, "1">:$groups,
                       OptionalAttr<Vae_ActivationAttr>:$activation);
  let results = (outs Vae_Tensor:$y);
}

class Vae_FramesOp<string mnemonic> : Vae_Op<mnemonic, [CarriesUnits]> {
  let results = (outs Vae_Tensor:$y);
}

def Vae_FramesToBatchOp : Vae_FramesOp<"frames_to_batch"> {
  let summary = "Each frame an image of its own";
  let description = [{
    y[n*T + t, c, i, j] = x[n, c, t, i, j], for layers that work on each frame by
    itself.

    Constraints: (C1) x is [N, C, T, H, W].
  }];
  let arguments = (ins Vae_Tensor:$x);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_BatchToFramesOp : Vae_FramesOp<"batch_to_frames"> {
  let summary = "Successive images as the frames of clips";
  let description = [{
    y[n, c, t, i, j] = x[n*T + t, c, i, j], the inverse of frames_to_batch. N and T
    are those of the video `like`; or T is `frames` and N follows; without either,
    all images are one clip.

    Constraints: (C1) x is [N*T, C, H, W]. (C2) like is [N, .., T, .., ..], whose
    images are as many as x has. (C3) frames > 0 divides the images of x, and there
    is no like beside it.
  }];
  let arguments = (ins Vae_Tensor:$x, Optional<Vae_Tensor>:$like,
                       OptionalAttr<I64Attr>:$frames);
  let assemblyFormat = [{
    $x (`like` `(` $like^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
}

def Vae_ChannelsToFramesOp : Vae_FramesOp<"channels_to_frames"> {
  let summary = "Channels become frames";
  let description = [{
    y[n, c, t*r + f, i, j] = x[n, f*C + c, t, i, j] with r the factor and C the
    channels of y; with `channel_major`, x[n, c*r + f, t, i, j]. What pixel_shuffle
    is in space.

    Constraints: (C1) x is [N, C, T, H, W]. (C2) factor > 0 divides the channels of
    x, which are static.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$factor,
                       DefaultValuedAttr<BoolAttr, "false">:$channel_major);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Vae_FramesToChannelsOp : Vae_FramesOp<"frames_to_channels"> {
  let summary = "Frames become channels";
  let description = [{
    y[n, f*C + c, t, i, j] = x[n, c, t*r + f, i, j] with r the factor and C the
    channels of x; with `channel_major`, y[n, c*r + f, t, i, j]. The inverse of
    channels_to_frames.

    Constraints: (C1) x is [N, C, T, H, W], C static. (C2) factor > 0 divides T.
  }];
  let arguments = (ins Vae_Tensor:$x, I64Attr:$factor,
                       DefaultValuedAttr<BoolAttr, "false">:$channel_major);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // VAE_VIDEO_OPS_TD
