"""LangChain's own suites, as they are."""

import pytest
from langchain_qdrant_embed import QdrantEmbedEmbeddings, QdrantEmbedRetriever
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.unit_tests import EmbeddingsUnitTests


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, open_store):
        return open_store()


class TestVectorStoreOfGivenEmbeddings(VectorStoreIntegrationTests):
    @pytest.fixture
    def place(self):
        """Return memory alone: an engine does not see who makes the vectors, and the stores above are on disk too."""
        return ":memory:"

    @pytest.fixture
    def vectorstore(self, open_store):
        return open_store(embedding=self.get_embeddings())


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _keep(self, docs):
        self.docs = docs

    @property
    def retriever_constructor(self):
        return QdrantEmbedRetriever

    @property
    def retriever_constructor_params(self):
        return {"collection": self.docs}

    @property
    def retriever_query_example(self):
        return "when are the cables inspected?"


class OfHashing:
    @property
    def embeddings_class(self):
        return QdrantEmbedEmbeddings

    @property
    def embedding_model_params(self):
        return {"model": "hashing"}


class TestEmbeddingsOffline(OfHashing, EmbeddingsUnitTests):
    pass


class TestEmbeddings(OfHashing, EmbeddingsIntegrationTests):
    pass
