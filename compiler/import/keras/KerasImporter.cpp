// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/keras/KerasImporter.h"

#include "compiler/import/keras/Assemble.h"
#include "compiler/import/keras/KerasFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace vae;
using namespace vae::keras;

namespace {

/// A model's object that becomes a part, with the file that it comes from.
struct Source {
  const JsonValue *object = nullptr;
  const KerasFile *file = nullptr;
  std::string prefix;
};

class Importer {
public:
  Importer(ModelDocument &document, Report &report)
      : document(document), report(report) {}

  bool readWhole(StringRef path, const ModelFiles &files);
  bool readParts(const ModelFiles &files);
  bool finish(StringRef latent);

  std::vector<std::unique_ptr<KerasFile>> keras;
  Source whole, encoder, decoder;
  std::string name;

private:
  KerasFile *read(StringRef path, StringRef weights, StringRef reader,
                  const std::string &prefix);
  bool splitSubclass(const KerasFile &file);
  bool makePart(const Source &source, StringRef latent,
                std::unique_ptr<Part> &part);

  ModelDocument &document;
  Report &report;
};

} // namespace

KerasFile *Importer::read(StringRef path, StringRef weights, StringRef reader,
                          const std::string &prefix) {
  keras.push_back(std::make_unique<KerasFile>());
  KerasFile &file = *keras.back();
  unsigned number = document.files.size();
  document.files.push_back(path.str());
  bool ok = readKerasFile(path, weights, reader, number, prefix, file, report);
  document.files.back() = file.textName;
  if (!ok)
    return nullptr;
  document.weights.addPath(file.weightsPath);
  for (const WeightTensor &tensor : file.weights.tensors)
    if (Error error = document.weights.addTensor(tensor)) {
      report.fail({1, 1, number}, toString(std::move(error)));
      return nullptr;
    }
  return &file;
}

/// A model of a class of its own: its config is what its author made it, often
/// the encoder and the decoder.
bool Importer::splitSubclass(const KerasFile &file) {
  const JsonValue *config = getConfig(file.root);
  for (const JsonValue::Member &member :
       config ? ArrayRef(config->members) : ArrayRef<JsonValue::Member>()) {
    if (!isModel(member.value))
      continue;
    StringRef key = member.key;
    Source *part = key.contains_insensitive("dec")   ? &decoder
                   : key.contains_insensitive("enc") ? &encoder
                                                     : nullptr;
    if (!part || part->object)
      continue;
    // The path in the file is that of the attribute, which may be private.
    std::string prefix = key.str() + "/", hidden = "_" + prefix;
    if (llvm::any_of(file.weights.tensors, [&](const WeightTensor &tensor) {
          return StringRef(tensor.name).starts_with(hidden);
        }))
      prefix = hidden;
    *part = {&member.value, &file, prefix};
  }
  if (encoder.object || decoder.object)
    return true;
  return report.fail(
      file.root.position,
      "model class '" + getClassName(file.root) +
          "' is code that the file does not hold; save its encoder and "
          "decoder (encoder.save(...), decoder.save(...)) and give "
          "--encoder=FILE --decoder=FILE");
}

bool Importer::readWhole(StringRef path, const ModelFiles &files) {
  const KerasFile *file = read(path, files.weights, files.hdf5Reader, "");
  if (!file)
    return false;
  name = getName(file->root).str();
  if (name.empty())
    name = sys::path::stem(path).str();
  if (!isModel(file->root))
    return splitSubclass(*file);
  whole = {&file->root, file, ""};
  return true;
}

bool Importer::readParts(const ModelFiles &files) {
  for (auto [path, weights, prefix, part] :
       {std::tuple(&files.encoder, &files.encoderWeights, "encoder/", &encoder),
        std::tuple(&files.decoder, &files.decoderWeights, "decoder/",
                   &decoder)}) {
    if (path->empty())
      continue;
    const KerasFile *file = read(*path, *weights, files.hdf5Reader, prefix);
    if (!file)
      return false;
    if (!isModel(file->root))
      return report.fail(file->root.position,
                         "model class '" + getClassName(file->root) +
                             "' is code that the file does not hold; save it "
                             "as a functional or sequential model");
    *part = {&file->root, file, prefix};
    if (name.empty())
      name = sys::path::stem(*path).str();
  }
  return true;
}

bool Importer::makePart(const Source &source, StringRef latent,
                        std::unique_ptr<Part> &part) {
  if (!source.object)
    return true;
  part = std::make_unique<Part>();
  WeightNames names;
  names.prefix = source.prefix;
  if (source.file->hasNames)
    names.byLayer = &source.file->namesByLayer;
  if (!buildGraph(*source.object, names, part->graph, report))
    return false;
  TranslateOptions options;
  options.keras2 = source.file->keras2;
  options.latent = latent.str();
  part->fragments = translate(part->graph, options);
  return true;
}

bool Importer::finish(StringRef latent) {
  std::unique_ptr<Part> parts[3];
  if (!makePart(whole, latent, parts[0]) ||
      !makePart(encoder, latent, parts[1]) || !makePart(decoder, "", parts[2]))
    return false;
  Parts all;
  all.whole = parts[0].get();
  all.encoder = parts[1].get();
  all.decoder = parts[2].get();
  all.latent = latent.str();
  all.name = name.empty() ? "model" : name;
  document.root = assemble(all, report);
  return !report.problem;
}

std::optional<Problem> keras::readKeras(StringRef path, const ModelFiles &files,
                                        ModelDocument &document) {
  Report report;
  Importer importer(document, report);
  bool ok = files.hasParts() ? importer.readParts(files)
                             : importer.readWhole(path, files);
  if (ok)
    importer.finish(files.latent);
  return report.problem;
}

std::optional<Problem> keras::translateConfig(StringRef text, StringRef latent,
                                              ModelDocument &document) {
  Report report;
  Importer importer(document, report);
  document.files = {"config.json"};
  auto file = std::make_unique<KerasFile>();
  if (!parseConfig(text, 0, file->root, report))
    return report.problem;
  if (isModel(file->root))
    importer.whole = {&file->root, file.get(), ""};
  else
    report.fail(file->root.position, "not a model");
  importer.keras.push_back(std::move(file));
  if (!report.problem)
    importer.finish(latent);
  return report.problem;
}
