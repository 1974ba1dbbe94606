// SPDX-License-Identifier: MIT
// Both compilers read this, with every warning an error: class templates are instantiated whole, used or not.
#include <gradus/dlpack.hpp>
#include <gradus/gradus.hpp>

template class gradus::Array<float>;
template class gradus::Array<double>;
template class gradus::Tensor<float>;
template class gradus::Tensor<double>;
template gradus::Array<float> gradus::from_dlpack(DLManagedTensor*);
template DLManagedTensor* gradus::to_dlpack(const gradus::Array<float>&);

int main() {}
