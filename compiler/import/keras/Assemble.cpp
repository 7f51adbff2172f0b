// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/Assemble.h"

#include "compiler/import/keras/Latent.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

namespace {

/// A tensor that a section takes under a name.
using Boundary = std::map<Tensor, std::string>;

/// The layers of an encoder or a decoder that some tensors need.
struct Section {
  JsonValue layers;
  /// The graph's inputs that it reads.
  std::vector<Tensor> inputs;
  /// Names of the tensors that were asked for.
  std::vector<std::string> results;
};

class Assembler {
public:
  Assembler(const Parts &parts, Report &report)
      : parts(parts), report(report) {}

  JsonValue run();

private:
  bool findParts();
  bool findWholeHeads();
  bool findNestedHeads(const NestedCall &encoder);
  bool findDecoderOutputs();
  bool chooseLatentInput();
  bool orderInputs();
  bool buildSection(const Part &part, StringRef prefix, Boundary boundary,
                    ArrayRef<Tensor> wanted, Section &section);
  bool needs(const Part &part, ArrayRef<Tensor> wanted,
             const Boundary &boundary, std::vector<bool> &needed);
  std::vector<Tensor> listInputs(const Part &part, ArrayRef<Tensor> wanted,
                                 const Boundary &boundary);
  std::string addName(StringRef name, StringRef prefix);
  JsonValue makeInput(const std::string &name, const Part &part, Tensor tensor,
                      ArrayRef<int64_t> dims);
  JsonValue makeNames(const std::vector<std::string> &names) const;
  JsonValue makeLatent(const Section &section) const;
  const Shape &getShape(const Part &part, Tensor tensor) const {
    return part.fragments[tensor.call].shape;
  }
  JsonValue text(StringRef value) const {
    return JsonValue::makeString(value, position);
  }

  const Parts &parts;
  Report &report;
  JsonPosition position;
  StringSet<> names;

  const Part *encoder = nullptr, *decoder = nullptr;
  Heads heads;
  /// What the decoder's graph has in the place of the latent.
  std::vector<Tensor> latents;
  /// The decoder's outputs: y, and its log-variance if there is one.
  std::vector<Tensor> outputs;
  bool learned = false;
  /// The names of the model's inputs, by the tensors of either graph.
  Boundary encoderInputs, decoderInputs;
  std::vector<JsonValue> inputs;
  bool dynamic = false;
};

} // namespace

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

std::string Assembler::addName(StringRef name, StringRef prefix) {
  std::string clean = name.str();
  for (char &c : clean)
    if (c == ':')
      c = '_';
  if (clean.empty())
    clean = "layer";
  if (clean == "z" || clean == "noise")
    clean += "_" + (prefix.empty() ? "input" : prefix.str());
  std::string result = clean;
  if (names.contains(result) && !prefix.empty())
    result = prefix.str() + "/" + clean;
  for (int i = 2; !names.insert(result).second; ++i)
    result = clean + "_" + std::to_string(i);
  return result;
}

JsonValue Assembler::makeNames(const std::vector<std::string> &list) const {
  JsonValue result = JsonValue::makeArray(position);
  for (const std::string &name : list)
    result.items.push_back(text(name));
  return result;
}

//===----------------------------------------------------------------------===//
// Sections
//===----------------------------------------------------------------------===//

/// Marks the calls that some tensors need, up to the boundary.
bool Assembler::needs(const Part &part, ArrayRef<Tensor> wanted,
                      const Boundary &boundary, std::vector<bool> &needed) {
  needed.assign(part.graph.calls.size(), false);
  std::vector<Tensor> stack(wanted.begin(), wanted.end());
  while (!stack.empty()) {
    Tensor tensor = stack.back();
    stack.pop_back();
    if (boundary.count(tensor) || needed[tensor.call])
      continue;
    needed[tensor.call] = true;
    for (Tensor input : part.graph.calls[tensor.call].inputs)
      stack.push_back(input);
  }
  return true;
}

std::vector<Tensor> Assembler::listInputs(const Part &part,
                                          ArrayRef<Tensor> wanted,
                                          const Boundary &boundary) {
  std::vector<bool> needed;
  needs(part, wanted, boundary, needed);
  std::vector<Tensor> found;
  for (Tensor input : part.graph.inputs)
    if (needed[input.call])
      found.push_back(input);
  return found;
}

bool Assembler::buildSection(const Part &part, StringRef prefix,
                             Boundary values, ArrayRef<Tensor> wanted,
                             Section &section) {
  section.layers = JsonValue::makeArray(part.graph.position);
  std::vector<bool> needed;
  needs(part, wanted, values, needed);
  for (size_t i = 0; i < part.graph.calls.size(); ++i) {
    Tensor tensor = {static_cast<int>(i), 0};
    if (!needed[i])
      continue;
    const Call &call = part.graph.calls[i];
    const Fragment &fragment = part.fragments[i];
    if (fragment.problem) {
      report.problem = fragment.problem;
      return false;
    }
    if (call.inputShape)
      return report.fail(call.layer->position(),
                         "the " + prefix + " reads input '" + call.layer->name +
                             "', which does not reach it; " +
                             (prefix == "decoder"
                                  ? "a decoder may read the latent and the "
                                    "conditions, not the data"
                                  : "check the model"));
    if (fragment.isSampling)
      return report.fail(call.layer->position(),
                         "layer '" + call.layer->name +
                             "' draws a sample inside the " + prefix +
                             ", which is not supported");
    std::string layerName =
        fragment.pieces.empty() ? "" : addName(call.layer->name, prefix);
    std::vector<std::string> pieceNames;
    for (const Piece &piece : fragment.pieces) {
      pieceNames.push_back(
          piece.suffix.empty()
              ? layerName
              : addName(layerName + "/" + piece.suffix, prefix));
      JsonValue layer = JsonValue::makeObject(piece.json.position);
      layer.set("name", text(pieceNames.back())).position = piece.json.position;
      JsonValue names = JsonValue::makeArray(piece.json.position);
      for (int input : piece.inputs)
        names.items.push_back(text(input < 0 ? pieceNames[-1 - input]
                                             : values[call.inputs[input]]));
      for (JsonValue &name : names.items)
        name.position = piece.json.position;
      for (const JsonValue::Member &member : piece.json.members) {
        layer.members.push_back(member);
        if (member.key == "type")
          layer.set("inputs", names);
      }
      section.layers.items.push_back(std::move(layer));
    }
    values[tensor] =
        pieceNames.empty() ? values[call.inputs.front()] : pieceNames.back();
  }
  for (Tensor tensor : wanted)
    section.results.push_back(values[tensor]);
  return true;
}

//===----------------------------------------------------------------------===//
// Encoder and decoder
//===----------------------------------------------------------------------===//

/// Encoder and decoder as nested models of one, without a layer that samples:
/// the latent is what one hands to the other.
bool Assembler::findNestedHeads(const NestedCall &model) {
  const Part &whole = *parts.whole;
  ArrayRef<int64_t> dims;
  for (const NestedCall &next : whole.graph.nested)
    if (&next != &model && !next.inputs.empty() &&
        is_contained(model.outputs, next.inputs.front()))
      dims = getShape(whole, next.inputs.front()).dims;
  return findHeads(whole, model.outputs, parts.latent, dims, heads, report);
}

/// The nested model that reads what another nested model gives.
static const NestedCall *findNestedEncoder(const Graph &graph) {
  for (const NestedCall &decoder : graph.nested)
    for (const NestedCall &encoder : graph.nested)
      for (Tensor input : decoder.inputs)
        if (&encoder != &decoder && is_contained(encoder.outputs, input))
          return &encoder;
  return nullptr;
}

static bool hasName(const Graph &graph, StringRef word) {
  return StringRef(graph.name).contains_insensitive(word);
}

bool Assembler::findWholeHeads() {
  const Part &whole = *parts.whole;
  const Graph &graph = whole.graph;
  if (!parts.latent.empty() || !findSamplings(whole).empty())
    return findHeads(whole, graph.outputs, parts.latent, {}, heads, report);
  if (const NestedCall *model = findNestedEncoder(graph))
    return findNestedHeads(*model);
  bool decodes = hasName(graph, "decoder"), encodes = hasName(graph, "encoder");
  if (graph.outputs.size() > 1 && !decodes)
    return findHeads(whole, graph.outputs, "", {}, heads, report);
  for (const Call &call : graph.calls)
    if (const std::string &name = call.layer->className;
        !encodes && (name == "Conv2DTranspose" || name == "UpSampling2D"))
      decodes = true;
  if (encodes && !decodes)
    return findHeads(whole, graph.outputs, "", {}, heads, report);
  if (decodes) {
    decoder = &whole;
    return true;
  }
  // What cannot be imported at all is the better thing to say.
  for (const Fragment &fragment : whole.fragments)
    if (fragment.problem) {
      report.problem = fragment.problem;
      return false;
    }
  return report.fail(
      graph.position,
      "cannot tell whether model '" + graph.name +
          "' is an encoder or a decoder: no layer samples from a mean and a "
          "log-variance; say --encoder=FILE or --decoder=FILE, or name the "
          "layers of the latent: --latent=MEAN,LOGVAR");
}

bool Assembler::findParts() {
  encoder = parts.encoder;
  decoder = parts.decoder;
  if (!parts.whole) {
    if (!encoder)
      return true;
    std::vector<int64_t> dims;
    if (decoder && decoder->graph.inputs.size() == 1)
      dims = getShape(*decoder, decoder->graph.inputs[0]).dims;
    else if (decoder)
      for (Tensor input : decoder->graph.inputs) {
        const Shape &shape = getShape(*decoder, input);
        int64_t width =
            encoder->graph.outputs.size() == 1
                ? getShape(*encoder, encoder->graph.outputs[0]).dims.empty()
                      ? 0
                      : getShape(*encoder, encoder->graph.outputs[0]).last()
                : 0;
        if (dims.empty() &&
            (shape.last() == width || shape.last() * 2 == width))
          dims = shape.dims;
      }
    return findHeads(*encoder, encoder->graph.outputs, parts.latent, dims,
                     heads, report);
  }
  if (!findWholeHeads())
    return false;
  if (!heads.mu)
    return true;
  encoder = parts.whole;
  // Outputs that depend on the latent are a decoder's.
  Boundary boundary;
  for (Tensor tensor : {heads.sample, heads.mu, heads.logvar})
    if (tensor)
      boundary[tensor] = "";
  for (Tensor output : parts.whole->graph.outputs) {
    if (boundary.count(output) ||
        boundary.count(skipIdentity(*parts.whole, output)))
      continue;
    std::vector<Tensor> stack = {output};
    std::vector<bool> seen(parts.whole->graph.calls.size(), false);
    bool found = false;
    while (!stack.empty() && !found) {
      Tensor tensor = stack.back();
      stack.pop_back();
      found = boundary.count(tensor);
      if (found || seen[tensor.call])
        continue;
      seen[tensor.call] = true;
      for (Tensor input : parts.whole->graph.calls[tensor.call].inputs)
        stack.push_back(input);
    }
    if (found) {
      decoder = parts.whole;
      outputs.push_back(output);
    }
  }
  return true;
}

bool Assembler::findDecoderOutputs() {
  if (!decoder)
    return true;
  if (outputs.empty())
    outputs = decoder->graph.outputs;
  if (outputs.size() == 1)
    return true;
  // A mean and a log-variance of each element; of others the first is y.
  Tensor logvar, y;
  for (Tensor output : outputs) {
    bool named = isLogvarName(decoder->graph.getLayer(output).name);
    if (named && !logvar)
      logvar = output;
    else if (!named && !y)
      y = output;
  }
  if (y && logvar &&
      getShape(*decoder, y).dims == getShape(*decoder, logvar).dims) {
    outputs = {y, logvar};
    learned = true;
  } else {
    outputs.resize(1);
  }
  return true;
}

/// Which tensors of the decoder's graph are the latent.
bool Assembler::chooseLatentInput() {
  if (!decoder)
    return true;
  if (decoder == encoder) {
    for (Tensor tensor : {heads.sample, heads.mu})
      if (tensor)
        latents.push_back(tensor);
    return true;
  }
  const std::vector<Tensor> &candidates = decoder->graph.inputs;
  if (candidates.empty())
    return report.fail(decoder->graph.position, "the decoder has no inputs");
  Tensor best;
  if (heads.mu) {
    std::vector<int64_t> dims = getShape(*encoder, heads.mu).dims;
    if (!heads.split.empty() && !dims.empty() && dims.back() > 0)
      dims.back() /= 2;
    for (Tensor input : candidates)
      if (!best && getShape(*decoder, input).dims == dims)
        best = input;
  }
  for (Tensor input : candidates) {
    std::string name = toSnakeCase(decoder->graph.getLayer(input).name);
    bool fits = !best ||
                getShape(*decoder, input).dims == getShape(*decoder, best).dims;
    if (fits && (name == "z" || StringRef(name).starts_with("z_") ||
                 StringRef(name).contains("latent"))) {
      best = input;
      break;
    }
  }
  latents = {best ? best : candidates.front()};
  return true;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

JsonValue Assembler::makeInput(const std::string &name, const Part &part,
                               Tensor tensor, ArrayRef<int64_t> dims) {
  JsonPosition at =
      tensor ? part.graph.getLayer(tensor).position() : part.graph.position;
  JsonValue input = JsonValue::makeObject(at);
  input.set("name", JsonValue::makeString(name, at));
  JsonValue shape = JsonValue::makeArray(at);
  for (auto [axis, dim] : enumerate(dims)) {
    if (dim >= 0) {
      shape.items.push_back(JsonValue::makeInteger(dim, at));
      continue;
    }
    dynamic = true;
    bool last = dims.size() == 3 && axis == 2;
    if (last || dims.size() < 2)
      report.fail(at, "input '" + name + "' has the shape " + formatDims(dims) +
                          ": only height and width may be open");
    shape.items.push_back(
        JsonValue::makeString(axis == 0 ? "height" : "width", at));
  }
  if (dims.size() > 3)
    report.fail(at, "input '" + name + "' has the shape " + formatDims(dims) +
                        ", expected at most three sizes");
  input.set("shape", std::move(shape));
  if (dims.size() == 3)
    input.set("layout", JsonValue::makeString("NHWC", at));
  return input;
}

/// The model's inputs: the data first, then conditions, those of the decoder
/// matched with those of the encoder by name, then by shape.
bool Assembler::orderInputs() {
  Boundary boundary;
  for (Tensor tensor : latents)
    boundary[tensor] = "z";
  std::vector<Tensor> ofEncoder, ofDecoder;
  if (encoder) {
    std::vector<Tensor> wanted = {heads.mu};
    if (heads.logvar)
      wanted.push_back(heads.logvar);
    ofEncoder = listInputs(*encoder, wanted, {});
    if (ofEncoder.empty())
      return report.fail(encoder->graph.position, "the encoder has no inputs");
  }
  if (decoder)
    ofDecoder = listInputs(*decoder, outputs, boundary);
  bool shared = decoder == encoder;
  if (encoder) {
    // The data is what the decoder gives, and what it does not read.
    size_t data = 0;
    auto couldBeData = [&](Tensor input) {
      return !(shared && is_contained(ofDecoder, input));
    };
    while (data < ofEncoder.size() && !couldBeData(ofEncoder[data]))
      ++data;
    if (data == ofEncoder.size())
      data = 0;
    if (decoder)
      for (auto [i, input] : enumerate(ofEncoder))
        if (couldBeData(input) && getShape(*encoder, input).dims ==
                                      getShape(*decoder, outputs[0]).dims) {
          data = i;
          break;
        }
    std::rotate(ofEncoder.begin(), ofEncoder.begin() + data,
                ofEncoder.begin() + data + 1);
    for (Tensor input : ofEncoder) {
      std::string name = addName(encoder->graph.getLayer(input).name, "");
      encoderInputs[input] = name;
      inputs.push_back(
          makeInput(name, *encoder, input, getShape(*encoder, input).dims));
    }
  } else {
    // The data is described by what the decoder gives.
    const std::vector<int64_t> &dims = getShape(*decoder, outputs[0]).dims;
    if (dims.empty() || dims.size() > 3 || is_contained(dims, -1))
      return report.fail(decoder->graph.position,
                         "the decoder gives " + formatDims(dims) +
                             "; a decoder alone needs one to three fixed "
                             "sizes, add --encoder=");
    inputs.push_back(makeInput(addName("x", ""), *decoder, {}, dims));
  }
  std::vector<Tensor> free; // conditions of the encoder not yet matched
  if (encoder && !shared)
    free.assign(ofEncoder.begin() + 1, ofEncoder.end());
  for (Tensor input : ofDecoder) {
    if (shared) {
      if (auto found = encoderInputs.find(input);
          found != encoderInputs.end() && input != ofEncoder.front())
        decoderInputs[input] = found->second;
    }
    if (decoderInputs.count(input) || (shared && input == ofEncoder.front()))
      continue;
    const std::string &name = decoder->graph.getLayer(input).name;
    const std::vector<int64_t> &dims = getShape(*decoder, input).dims;
    auto match = free.end();
    for (auto it = free.begin(); it != free.end(); ++it)
      if (encoder->graph.getLayer(*it).name == name) {
        match = it;
        break;
      }
    for (auto it = free.begin(); match == free.end() && it != free.end(); ++it)
      if (getShape(*encoder, *it).dims == dims)
        match = it;
    if (match != free.end() && getShape(*encoder, *match).dims == dims) {
      decoderInputs[input] = encoderInputs[*match];
      free.erase(match);
      continue;
    }
    decoderInputs[input] = addName(name, "");
    inputs.push_back(makeInput(decoderInputs[input], *decoder, input, dims));
  }
  return !report.problem;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

JsonValue Assembler::makeLatent(const Section &section) const {
  JsonValue latent = JsonValue::makeObject(position);
  bool code = encoder && heads.isCode();
  latent.set("kind", text(code ? "code" : "gaussian"));
  const Part &part = encoder ? *encoder : *decoder;
  const Shape &shape = getShape(part, encoder ? heads.mu : latents[0]);
  if (!encoder) {
    JsonValue dims = JsonValue::makeArray(position);
    for (int64_t dim : shape.dims)
      dims.items.push_back(JsonValue::makeInteger(dim, position));
    latent.set("shape", std::move(dims));
  } else if (code) {
    latent.set("code", text(section.results[0]));
  } else if (!heads.split.empty()) {
    latent.set("head", text(section.results[0]));
    latent.set("split", text(heads.split));
  } else {
    latent.set("mu", text(section.results[0]));
    latent.set("logvar", text(section.results[1]));
  }
  if (shape.isImage())
    latent.set("layout", text("NHWC"));
  return latent;
}

JsonValue Assembler::run() {
  if (const Part *any = parts.whole     ? parts.whole
                        : parts.encoder ? parts.encoder
                                        : parts.decoder)
    position = any->graph.position;
  if (!findParts() || !findDecoderOutputs())
    return {};
  // A part that cannot be imported has no shapes to go by.
  for (const auto &[part, wanted] :
       {std::pair(encoder, std::vector<Tensor>{heads.mu, heads.logvar}),
        std::pair(decoder, outputs)})
    for (const Tensor &tensor : wanted)
      if (part && tensor && part->fragments[tensor.call].problem) {
        report.problem = part->fragments[tensor.call].problem;
        return {};
      }
  if (!chooseLatentInput() || !orderInputs())
    return {};
  Section encoderLayers, decoderLayers;
  JsonValue root = JsonValue::makeObject(position);
  root.set("format_version", JsonValue::makeInteger(1, position));
  root.set("name", text(parts.name));
  root.set("tensor_layout", text("keras"));
  if (encoder) {
    std::vector<Tensor> wanted = {heads.mu};
    if (heads.logvar)
      wanted.push_back(heads.logvar);
    if (!buildSection(*encoder, "encoder", encoderInputs, wanted,
                      encoderLayers))
      return {};
  }
  if (decoder) {
    Boundary boundary = decoderInputs;
    for (Tensor tensor : latents)
      boundary[tensor] = "z";
    if (!buildSection(*decoder, "decoder", boundary, outputs, decoderLayers))
      return {};
  }
  if (dynamic) {
    int64_t multiple = 1;
    for (const Fragment &fragment : (encoder ? encoder : decoder)->fragments)
      multiple = std::max(multiple, fragment.shape.down);
    JsonValue sizes = JsonValue::makeObject(position);
    for (StringRef name : {"height", "width"}) {
      JsonValue size = JsonValue::makeObject(position);
      size.set("multiple", JsonValue::makeInteger(multiple, position));
      sizes.set(name, std::move(size));
    }
    root.set("dynamic", std::move(sizes));
  }
  JsonValue list = JsonValue::makeArray(position);
  list.items = inputs;
  root.set("inputs", std::move(list));
  if (encoder) {
    JsonValue section = JsonValue::makeObject(encoder->graph.position);
    std::vector<std::string> names;
    for (const JsonValue &input : inputs)
      for (const auto &[tensor, name] : encoderInputs)
        if (input.find("name")->text == name)
          names.push_back(name);
    section.set("inputs", makeNames(names));
    section.set("layers", std::move(encoderLayers.layers));
    root.set("encoder", std::move(section));
  }
  root.set("latent", makeLatent(encoderLayers));
  if (decoder) {
    JsonValue section = JsonValue::makeObject(decoder->graph.position);
    std::vector<std::string> names = {"z"};
    for (const JsonValue &input : inputs)
      for (const auto &[tensor, name] : decoderInputs)
        if (input.find("name")->text == name)
          names.push_back(name);
    section.set("inputs", makeNames(names));
    section.set("layers", std::move(decoderLayers.layers));
    section.set("output", text(decoderLayers.results[0]));
    if (learned)
      section.set("output_logvar", text(decoderLayers.results[1]));
    root.set("decoder", std::move(section));
  }
  if (learned) {
    JsonValue likelihood = JsonValue::makeObject(position);
    likelihood.set("kind", text("gaussian"));
    likelihood.set("variance", text("learned"));
    root.set("likelihood", std::move(likelihood));
  }
  return root;
}

JsonValue keras::assemble(const Parts &parts, Report &report) {
  JsonValue root = Assembler(parts, report).run();
  return report.problem ? JsonValue() : root;
}
