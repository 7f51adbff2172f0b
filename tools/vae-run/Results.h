// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The file that -o names.
#ifndef TOOLS_VAE_RUN_RESULTS_H
#define TOOLS_VAE_RUN_RESULTS_H

#include "tools/data/File.h"
#include "tools/vae-run/Report.h"
#include "tools/vae-run/Runner.h"

namespace vaerun {

using namespace vaedata;

enum class FileKind { Npy, Npz, Png };

/// The images above the results in a PNG: the inputs of --compare.
struct Companion {
  const vae_abi_tensor *tensor = nullptr;
  const Data *data = nullptr;
};

/// The least and the greatest value that an output is declared to have; of the
/// mean of a Bernoulli likelihood 0 and 1.
std::optional<std::pair<float, float>> findRange(const vae_abi_tensor &tensor,
                                                 const vae_abi_model &model);

class Results {
public:
  /// Opens the file; without a path there is none. Throws a UsageError if the
  /// ending is not one of `allowed`, and a UserError if the place cannot be
  /// written.
  Results(const std::string &path, const std::vector<FileKind> &allowed);

  bool isImage() const { return file && kind == FileKind::Png; }

  /// Fails if outputs like these make no image; to be asked before they are
  /// computed.
  void checkImage(const vae_abi_tensor &tensor, const Shape &shape) const;

  /// Writes the outputs and reports them: .npz has all, others `main`.
  void write(const std::vector<Output> &outputs, size_t main,
             const Companion &companion, const vae_abi_model &model,
             Report &report);

private:
  std::string draw(const Output &output, const Companion &companion,
                   const vae_abi_model &model) const;

  FileKind kind = FileKind::Npy;
  std::optional<OutputFile> file;
};

} // namespace vaerun

#endif // TOOLS_VAE_RUN_RESULTS_H
