// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/Latent.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

/// The words of a name: "z_log_var" and "zLogVar" have z, log, var.
static std::string normalize(StringRef name) {
  return "_" + toSnakeCase(name) + "_";
}

bool keras::isLogvarName(StringRef name) {
  std::string words = normalize(name);
  for (StringRef part :
       {"log_var", "logvar", "log_sigma_sq", "log_sigma2", "lv_"})
    if (StringRef(words).contains(part))
      return true;
  return false;
}

bool keras::isMeanName(StringRef name) {
  std::string words = normalize(name);
  for (StringRef part : {"mean", "_mu_", "_zmu_"})
    if (StringRef(words).contains(part))
      return !isLogvarName(name);
  return false;
}

Tensor keras::skipIdentity(const Part &part, Tensor tensor) {
  while (true) {
    const Call &call = part.graph.calls[tensor.call];
    const Fragment &fragment = part.fragments[tensor.call];
    if (fragment.problem || fragment.isSampling || call.inputShape ||
        !fragment.pieces.empty())
      return tensor;
    tensor = call.inputs.front();
  }
}

static bool isSamplingName(StringRef name) {
  return name.contains_insensitive("sampl") ||
         name.contains_insensitive("reparam");
}

std::vector<int> keras::findSamplings(const Part &part) {
  std::vector<int> found, named;
  for (auto [i, fragment] : enumerate(part.fragments)) {
    if (!fragment.isSampling)
      continue;
    found.push_back(i);
    const Layer &layer = *part.graph.calls[i].layer;
    if (isSamplingName(layer.className) || isSamplingName(layer.name))
      named.push_back(i);
  }
  // A layer that adds the divergence to the loss reads the same two tensors.
  return found.size() > 1 && !named.empty() ? named : found;
}

/// The layer of that name.
static bool findByName(const Part &part, StringRef name, Tensor &tensor,
                       Report &report) {
  for (size_t i = part.graph.calls.size(); i-- > 0;)
    if (part.graph.calls[i].layer->name == name) {
      tensor = {static_cast<int>(i), 0};
      return true;
    }
  std::vector<StringRef> names;
  for (const Call &call : part.graph.calls)
    names.push_back(call.layer->name);
  return report.fail(part.graph.position,
                     "--latent: the encoder has no layer '" + name + "'" +
                         suggestName(name, names));
}

static bool readLatent(const Part &part, StringRef latent, Heads &heads,
                       Report &report) {
  auto [first, second] = latent.split(',');
  if (latent.contains(','))
    return findByName(part, first, heads.mu, report) &&
           findByName(part, second, heads.logvar, report);
  auto [name, split] = latent.split(':');
  if (latent.contains(':') && split != "halves" && split != "interleaved")
    return report.fail(part.graph.position,
                       "--latent: expected MEAN,LOGVAR or HEAD:halves or "
                       "HEAD:interleaved or CODE, found '" +
                           latent + "'");
  heads.split = split.str();
  return findByName(part, name, heads.mu, report);
}

static void setFromSampling(const Part &part, int call, Heads &heads) {
  const std::vector<Tensor> &inputs = part.graph.calls[call].inputs;
  heads.sample = {call, 0};
  heads.mu = inputs[0];
  heads.logvar = inputs[1];
  if (isLogvarName(part.graph.getLayer(inputs[0]).name) &&
      isMeanName(part.graph.getLayer(inputs[1]).name))
    std::swap(heads.mu, heads.logvar);
}

static std::string listNames(const Part &part, ArrayRef<Tensor> tensors) {
  std::string text;
  for (Tensor tensor : tensors)
    text +=
        (text.empty() ? "'" : ", '") + part.graph.getLayer(tensor).name + "'";
  return text;
}

bool keras::findHeads(const Part &part, ArrayRef<Tensor> outputs,
                      StringRef latent, ArrayRef<int64_t> codeDims,
                      Heads &heads, Report &report) {
  if (!latent.empty()) {
    // The sample, if a layer draws one of these, is still what decoders read.
    if (!readLatent(part, latent, heads, report))
      return false;
    for (int call : findSamplings(part))
      if (is_contained(part.graph.calls[call].inputs, heads.mu))
        heads.sample = {call, 0};
    return true;
  }
  std::vector<int> samplings = findSamplings(part);
  if (samplings.size() > 1)
    return report.fail(
        part.graph.calls[samplings[1]].layer->position(),
        "layers '" + part.graph.calls[samplings[0]].layer->name + "' and '" +
            part.graph.calls[samplings[1]].layer->name +
            "' both draw a sample, one latent is supported; --latent= names "
            "the layers of mean and log-variance");
  if (samplings.size() == 1) {
    setFromSampling(part, samplings[0], heads);
    return true;
  }
  if (outputs.size() == 1) {
    heads.mu = outputs[0];
    const Shape &shape = part.fragments[outputs[0].call].shape;
    if (!codeDims.empty() && !shape.dims.empty() &&
        shape.last() == 2 * codeDims.back())
      heads.split = "halves";
    return true;
  }
  for (Tensor output : outputs) {
    const std::string &name = part.graph.getLayer(output).name;
    if (isLogvarName(name) && !heads.logvar)
      heads.logvar = output;
    else if (isMeanName(name) && !heads.mu)
      heads.mu = output;
  }
  if (heads.mu && heads.logvar)
    return true;
  if (outputs.size() == 2) {
    // One name is enough; without any, the order counts.
    if (heads.logvar)
      heads.mu = outputs[heads.logvar == outputs[0]];
    else if (heads.mu)
      heads.logvar = outputs[heads.mu == outputs[0]];
    else
      heads = {outputs[0], outputs[1], "", Tensor()};
    return true;
  }
  return report.fail(part.graph.position, "cannot tell which of the outputs " +
                                              listNames(part, outputs) +
                                              " are mean and log-variance; say "
                                              "--latent=MEAN,LOGVAR");
}
