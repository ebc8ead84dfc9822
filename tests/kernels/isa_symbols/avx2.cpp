// A violation, to show that the check finds one: an inline function outside the instruction set's own namespace.
namespace linnet::kernels {

__attribute__((noinline)) inline int shared_helper(int x) { return x * x; }

namespace avx2 {

extern const int violation;
const int violation = shared_helper(3);

}  // namespace avx2
}  // namespace linnet::kernels
