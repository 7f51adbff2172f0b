// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vae dialect.
#ifndef DIALECTS_VAE_IR_VAE_H
#define DIALECTS_VAE_IR_VAE_H

#include "dialects/vae/IR/MappedFiles.h"
#include "dialects/vae/IR/VaeReach.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace vae {

/// The shape of a tensor: one expression of the dynamic dimensions per axis.
using Dims = llvm::SmallVector<mlir::AffineExpr, 4>;

/// Starts an error message; null when nobody listens.
using DiagnosticFn = llvm::function_ref<mlir::InFlightDiagnostic()>;

/// Which units elements belong to (VaeUnits.h).
class UnitFlow;

/// What can follow op(x) in y = activation(op(x) + bias + residual).
enum class EpiloguePart { Bias, Residual, Activation };

/// The dimension if the expression is constant, ShapedType::kDynamic if not.
int64_t getStaticDim(mlir::AffineExpr expr);

/// Shape of a type. Every dynamic dimension becomes a new symbol, counted from
/// `nextSymbol`, except axis 0 (the batch), which is symbol 0 everywhere.
Dims getDims(mlir::RankedTensorType type, unsigned &nextSymbol);

/// The type with this shape; dimensions that are not constant become dynamic.
mlir::RankedTensorType getTensorType(llvm::ArrayRef<mlir::AffineExpr> dims,
                                     mlir::Type elementType,
                                     mlir::Attribute encoding = {});

/// Whether the C ABI can state the dimensions: each scale * symbol + offset.
bool isLinear(llvm::ArrayRef<mlir::AffineExpr> dims);

/// Product of the dimensions.
mlir::AffineExpr getNumElements(llvm::ArrayRef<mlir::AffineExpr> dims,
                                mlir::MLIRContext *context);

} // namespace vae

#include "dialects/vae/IR/VaeDialect.h.inc"
#include "dialects/vae/IR/VaeEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/vae/IR/VaeAttrs.h.inc"

#include "dialects/vae/IR/VaeInterfaces.h.inc"

#include "dialects/vae/IR/VaeTraits.h"

#define GET_OP_CLASSES
#include "dialects/vae/IR/VaeOps.h.inc"

namespace vae {

/// Names of the attributes on arguments and results of entry points.
inline constexpr llvm::StringLiteral kNameAttr = "vae.name";
inline constexpr llvm::StringLiteral kRoleAttr = "vae.role";
inline constexpr llvm::StringLiteral kLayoutAttr = "vae.layout";
inline constexpr llvm::StringLiteral kRangeAttr = "vae.range";
/// On arguments and results: an affine map from the module's symbols (the
/// batch; others in units of their multiple) to the dimensions.
inline constexpr llvm::StringLiteral kDimsAttr = "vae.dims";
/// On entry functions.
inline constexpr llvm::StringLiteral kEntryAttr = "vae.entry";
/// On entry functions with dynamic sizes: what tiles of an image need
/// (vae-find-halos).
inline constexpr llvm::StringLiteral kTilingAttr = "vae.tiling";
/// On segments of entry points (vae-split-entries): the entry point's name, and
/// the points from which and to which they go, of how many.
inline constexpr llvm::StringLiteral kSegmentAttr = "vae.segment";
/// On a layer: the numbers that it multiplies, if not f32
/// (vae-assign-precision); on the module: that some layer has it. A name of
/// Precision.
inline constexpr llvm::StringLiteral kPrecisionAttr = "vae.precision";
/// On a layer: what its weights are stored as, if not as what it multiplies,
/// "f16", and why they are not although they should (vae-assign-storage). On
/// the module: a name of Storage.
inline constexpr llvm::StringLiteral kStorageAttr = "vae.storage";
inline constexpr llvm::StringLiteral kStorageNoteAttr = "vae.storage_note";
/// On the module: array of {name, minimum, multiple}, the dynamic dimensions;
/// the first is the batch.
inline constexpr llvm::StringLiteral kSymbolsAttr = "vae.symbols";
/// On the module: dictionary with name, latent, latent_scaling, likelihood,
/// prior, parameters.
inline constexpr llvm::StringLiteral kModelAttr = "vae.model";
/// In that dictionary, if the model declares it: a dictionary with the arrays
/// of f64 `scale` and `shift`, both with one number, or one a channel.
inline constexpr llvm::StringLiteral kLatentScalingAttr = "latent_scaling";

/// Dimensions of an argument of an entry point: its attribute `vae.dims`, an
/// affine map from the module's symbols (batch; others in units of their
/// multiple) to sizes.
Dims getArgumentDims(mlir::FunctionOpInterface function, unsigned index);

/// The layout of a tensor in the order of its logical shape, one letter an
/// axis: "NC", "NHW", "NCHW", ...
std::string getLogicalLayout(int64_t rank);

/// The numbers that an operation multiplies.
Precision getPrecision(mlir::Operation *op);

/// Whether the weights of a layer are stored as f16.
bool hasF16Weights(mlir::Operation *op);
/// What a module stores as f16.
Storage getStorage(mlir::ModuleOp module);

/// The name of the layer that a location stands for; empty if it has none.
llvm::StringRef getLayerName(mlir::Location loc);

/// Names of the layers that became an operation, "conv+norm+relu"; what it
/// does if it has none.
std::string getLayerNames(mlir::Operation *op);

} // namespace vae

#endif // DIALECTS_VAE_IR_VAE_H
