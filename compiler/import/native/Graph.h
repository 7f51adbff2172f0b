// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The layers of an encoder or decoder as a graph.
#ifndef COMPILER_IMPORT_NATIVE_GRAPH_H
#define COMPILER_IMPORT_NATIVE_GRAPH_H

#include "compiler/import/native/LayerBuilder.h"
#include "llvm/ADT/StringMap.h"

namespace vae {

/// Values by the names under which layers refer to them.
using NamedValues = llvm::StringMap<mlir::Value>;

/// Builds the layers of a section at the builder's insertion point, each after
/// its inputs whatever their order in the file. `values` holds the section's
/// inputs and receives the layers' outputs.
llvm::LogicalResult buildSection(BuildContext &context,
                                 const SectionSpec &section,
                                 NamedValues &values);

/// The value of a name; null after an error, which starts with `subject`.
mlir::Value findValue(BuildContext &context, const NamedValues &values,
                      const NameRef &name, llvm::StringRef subject);

} // namespace vae

#endif // COMPILER_IMPORT_NATIVE_GRAPH_H
