"""What the files of a model say of it.

Files, in reading order: json_files, tensors, graph_files, wordpiece, input_length, layouts, linear_layers, lora,
static_folder, prepared_folder, model_folder, word_vectors.
"""
