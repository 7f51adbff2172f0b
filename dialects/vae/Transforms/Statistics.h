// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What passes say about their work.
#ifndef DIALECTS_VAE_TRANSFORMS_STATISTICS_H
#define DIALECTS_VAE_TRANSFORMS_STATISTICS_H

#include "mlir/Pass/Pass.h"

namespace vae {

/// Counts one event: in the pass's statistic, and as an optimization remark
/// that carries the statistic's name, the pass's argument as category and the
/// layer of `op`. The remark is what users see: LLVM as Debian packages it is
/// built without statistics, and --mlir-pass-statistics prints none.
void countEvent(const mlir::Pass &pass, mlir::Pass::Statistic &statistic,
                llvm::StringRef name, mlir::Operation *op);

} // namespace vae

#endif // DIALECTS_VAE_TRANSFORMS_STATISTICS_H
